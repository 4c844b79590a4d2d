"""A real worker of Celery: what its processes send and write, by pool."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otelkit.tasks.systems import system_of_transport
from otelkit.testing import capture
from tests.instrumentation.libraries.celery_shop.app import sender
from tests.instrumentation.libraries.workers import Worker, rabbitmq_broker, received, redis_broker, worker
from tests.receivers import Receiver, receiver

TASKS = 6


def totals(receiver: Receiver, metric: str) -> dict[str, int]:
    """The observations of a histogram by process, summed over the newest of each."""
    newest: dict[tuple[str, str], int] = {}
    for body in received(receiver).bodies("metrics"):
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            who = {pair.key: pair.value.string_value or str(pair.value.int_value) for pair in resource.resource.attributes}
            for scope in resource.scope_metrics:
                for found in scope.metrics:
                    if found.name == metric:
                        key = who["service.instance.id"], who["process.pid"]
                        newest[key] = sum(point.count for point in found.histogram.data_points)
    return {":".join(key): value for key, value in newest.items()}


@pytest.mark.parametrize("pool", [("--pool", "prefork", "-c", "2"), ("--pool", "threads"), ("--pool", "solo")], ids=lambda pool: pool[1])
def test_a_worker_that_has_nothing_to_do_says_that_it_is_there(tmp_path: Path, pool: tuple[str, ...]):
    """A worker that is idle is not one that is gone."""
    environment = {"OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    with receiver() as receiving, worker(tmp_path, receiving.endpoint, *pool, environment=environment) as running:
        running.wait_until(lambda: "worker.up" in received(receiving).metrics, "no process says that it takes tasks")
        assert running.stop() == 0, running.text
        (point,) = {(tuple(point["attributes"].items()), point["value"]) for point in received(receiving).metrics["worker.up"]}
        assert point == ((("queue", "orders"),), 1)


def lines_of_tasks(running: Worker) -> list[dict[str, Any]]:
    return [line for line in running.lines if line["message"] == "shipped"]


@pytest.mark.parametrize(
    ("arguments", "hijacks", "broker"),
    [
        (("--pool", "prefork", "-c", "2", "--max-tasks-per-child", "1"), True, lambda folder: nullcontext("filesystem://")),
        (("--pool", "threads", "-c", "2"), False, lambda folder: nullcontext("filesystem://")),
        (("--pool", "prefork", "-c", "2", "--max-tasks-per-child", "1"), True, redis_broker),
        (("--pool", "prefork", "-c", "2", "--max-tasks-per-child", "1"), True, rabbitmq_broker),
    ],
    ids=[
        "prefork, recycled, with the hijack",
        "threads, without the hijack",
        "prefork, recycled, by Redis",
        "prefork, recycled, by RabbitMQ",
    ],
)
def test_a_worker_loses_nothing_and_writes_json_lines(tmp_path: Path, arguments, hijacks, broker):
    """A20, B3, B7: each task is one span in its sender's trace, one sample and one line, whichever process ran it."""
    with (
        broker(tmp_path) as address,
        capture() as telemetry,
        receiver() as receiving,
        worker(tmp_path, receiving.endpoint, *arguments, environment={"SHOP_HIJACK": str(int(hijacks)), "SHOP_BROKER": address}) as running,
    ):
        app = sender(tmp_path, address)
        with telemetry.runtime.tracer.start_as_current_span("work"):
            for _ in range(TASKS):
                app.send_task("orders.ship")
        running.wait_until(lambda: running.text.count("succeeded") == TASKS, "not every task has run")
        assert running.stop() == 0, running.text
        sent = {span["span_id"]: span["trace_id"] for span in telemetry.spans if span["name"] == "send orders.ship"}
        found = received(receiving)
        ran = [span for span in found.spans if span["name"] == "process orders.ship"]
        assert {span["attributes"]["messaging.system"] for span in ran} == {system_of_transport(address.partition(":")[0])}
        assert {span["parent_span_id"]: span["trace_id"] for span in ran} == sent
        assert len(ran) == len(sent) == TASKS
        counted = totals(receiving, "task.duration")
        assert sum(counted.values()) == TASKS
        assert {key.split(":")[-2] for key in counted} <= {"0", "1"}, "two at a time, however many they were; who hands out has no slot"
        lines = lines_of_tasks(running)
        assert sorted((line["trace_id"], line["span_id"]) for line in lines) == sorted(
            (span["trace_id"], span["span_id"]) for span in found.spans if span["name"] == "pack"
        )
        assert {line["task.name"] for line in lines} == {"orders.ship"}
        assert {line["task.id"] for line in lines} == {span["attributes"]["messaging.message.id"] for span in ran}
        succeeded = [line for line in running.lines if "succeeded in" in line["message"]]
        assert {line["trace_id"] for line in succeeded} == set(sent.values())
        assert len(succeeded) == TASKS
        printed = [line for line in running.lines if line["message"] == "printed"]
        assert [line["logger"] for line in printed] == ["celery.redirected"] * TASKS
