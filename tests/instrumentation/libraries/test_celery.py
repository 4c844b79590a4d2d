"""Tasks of Celery join the trace that sent them, by a worker in a thread of this process and in eager mode."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, chain, signals
from celery.beat import Scheduler
from celery.exceptions import OperationalError
from django.test import Client, override_settings
from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor

from otelkit import startup
from otelkit.catalog.metrics import TASK_ACTIVE, TASK_DURATION
from otelkit.tasks.state import CURRENT_TASK
from otelkit.testing import Telemetry, capture
from tests.backends import wait_until
from tests.instrumentation.libraries.celery_shop import tasks
from tests.instrumentation.libraries.celery_shop.app import app
from tests.instrumentation.libraries.workers import worker_thread

SHOP = override_settings(ROOT_URLCONF="tests.instrumentation.libraries.celery_shop.urls")
HEARD = (
    "before_task_publish",
    "after_task_publish",
    "task_prerun",
    "task_postrun",
    "task_failure",
    "task_retry",
    "worker_process_shutdown",
)


@pytest.fixture(scope="module", autouse=True)
def worker() -> Iterator[None]:
    """One for all tests."""
    with worker_thread(app):
        yield


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        yield telemetry


@pytest.fixture
def eager() -> Iterator[None]:
    """Tasks run where they are called."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def finished(telemetry: Telemetry, attempts: int = 1) -> None:
    """Waits until so many attempts are over."""

    aggregator = telemetry.runtime.aggregator  # asked itself: a test that exports all the time would wait for its own exports

    def are_over() -> bool:
        ran = sum(sum(series.counts) for series in aggregator.histogram(TASK_DURATION).snapshot(forget_exemplars=False).histograms)
        running = sum(series.value for series in aggregator.counter(TASK_ACTIVE).snapshot(forget_exemplars=False).numbers)
        return ran >= attempts and running == 0

    wait_until(are_over, 20, f"{attempts} attempts are not over", every=0.01)


def test_a_task_is_in_the_trace_of_the_request_that_sent_it(telemetry):
    """A20."""
    with SHOP:
        sent = Client().get("/orders/ship").json()["task"]
    finished(telemetry)
    request, send, process, pack = (telemetry.span(n) for n in ("GET /orders/{name}", "send orders.ship", "process orders.ship", "pack"))
    assert {span["trace_id"] for span in telemetry.spans} == {request["trace_id"]}
    assert [send["parent_span_id"], process["parent_span_id"], pack["parent_span_id"]] == [
        request["span_id"],
        send["span_id"],
        process["span_id"],
    ]
    assert (send["kind"], process["kind"], process["status"]) == ("PRODUCER", "CONSUMER", "UNSET")
    shared = {
        "task.name": "orders.ship",
        "queue": "orders",
        "messaging.system": "memory",
        "messaging.destination.name": "orders",
        "messaging.message.id": sent,
    }
    assert send["attributes"] == {**shared, "messaging.operation.name": "send"}
    waited = process["attributes"].pop("task.wait_ms")
    assert process["attributes"] == {**shared, "messaging.operation.name": "process"}
    assert 0 <= waited < 20_000
    labels = {"task_name": "orders.ship", "queue": "orders", "outcome": "ok"}
    for metric in ("task.duration", "task.wait.duration"):
        point = telemetry.point(metric, **labels)
        assert (point["count"], point["exemplars"][0]["span_id"]) == (1, process["span_id"])
    assert telemetry.point("task.wait.duration")["sum"] == pytest.approx(waited / 1000, abs=0.001)
    assert telemetry.point("task.active", queue="orders")["value"] == 0


def test_lines_of_a_task_name_it_and_its_trace(telemetry):
    """A20, A1."""
    sent = tasks.ship.delay()
    finished(telemetry)
    line = telemetry.assert_log("shipped", {"task.name": "orders.ship", "task.id": sent.id})
    assert line["trace_id"] == telemetry.span("process orders.ship")["trace_id"]
    logging.getLogger("shop").warning("later")
    assert "task.name" not in telemetry.assert_log("later")
    assert CURRENT_TASK.get() is None


@pytest.mark.parametrize(
    ("name", "outcome", "status", "error", "handled"),
    [
        ("ship", "ok", "UNSET", None, None),
        ("fail", "error", "ERROR", "ValueError", "false"),
        ("expect", "error", "UNSET", f"{tasks.__name__}.OutOfStockError", "true"),
        ("reject", "reject", "UNSET", None, None),
        ("ignore", "ignored", "UNSET", None, None),
    ],
)
def test_what_became_of_a_task_is_its_outcome(telemetry, name, outcome, status, error, handled):
    """A20, A8."""
    getattr(tasks, name).delay()
    finished(telemetry)
    span = telemetry.span(f"process orders.{name}")
    assert (span["status"], span["attributes"].get("error.type")) == (status, error)
    assert [event["name"] for event in span["events"]] == (["exception"] if status == "ERROR" else [])
    assert telemetry.point("task.duration", task_name=f"orders.{name}", outcome=outcome)["count"] == 1
    counted = telemetry.metrics.get("errors.captured", [])
    expected = {"exception.type": error, "handled": handled == "true", "task.name": f"orders.{name}"}
    assert [point["attributes"] for point in counted] == ([expected] if error else [])


def test_a_retry_goes_on_in_the_same_trace_and_is_no_error(telemetry):
    """A20."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        tasks.retry.delay()
    finished(telemetry, 2)
    first, second = (span for span in telemetry.spans if span["name"] == "process orders.retry")
    assert (first["status"], first["attributes"]["error.type"], second["attributes"]["task.retries"]) == ("UNSET", "ConnectionError", 1)
    again = next(span for span in telemetry.spans if span["name"] == "send orders.retry" and span["parent_span_id"] == first["span_id"])
    assert second["parent_span_id"] == again["span_id"]
    assert {span["trace_id"] for span in telemetry.spans} == {telemetry.span("work")["trace_id"]}
    assert {p["attributes"]["outcome"]: p["count"] for p in telemetry.metrics["task.duration"]} == {"retry": 1, "ok": 1}


def test_chains_groups_and_chords_are_one_trace(telemetry):
    """A20: what Celery polls with meanwhile is no part of it."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        chain(tasks.ship.s(), tasks.count.s()).delay()
        tasks.fan_out.delay()
    finished(telemetry, 6)
    names = [span["name"] for span in telemetry.spans if span["kind"] == "CONSUMER"]
    assert sorted(names) == ["process orders.count"] * 4 + ["process orders.fan_out", "process orders.ship"]
    assert {span["trace_id"] for span in telemetry.spans} == {telemetry.span("work")["trace_id"]}
    assert not [span for span in telemetry.spans if "celery." in span["name"]]


def test_a_task_that_was_sent_long_ago_begins_a_trace_that_is_linked():
    """A20: link or parent by rule."""
    with capture({"tasks": {"link_after": 0.0}}) as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            tasks.ship.delay()
        finished(telemetry)
        send, process = telemetry.span("send orders.ship"), telemetry.span("process orders.ship")
        assert (process["parent_span_id"], process["trace_id"] != send["trace_id"]) == (None, True)
        assert process["links"] == [send["trace_id"]]
        assert send["trace_id"] == telemetry.span("work")["trace_id"]


def test_a_task_that_was_to_begin_later_has_waited_since_then(telemetry):
    """Its delay is no wait: nobody was late."""
    tasks.ship.apply_async(countdown=1)
    finished(telemetry)
    sent, began = telemetry.span("send orders.ship")["start_ns"], telemetry.span("process orders.ship")["start_ns"]
    assert 0 <= telemetry.point("task.wait.duration")["sum"] <= (began - sent) / 1e9 - 1 + 0.001


@pytest.mark.parametrize("headers", [{"otelkit_sent_at": "yesterday"}, {"otelkit_sent_at": float("nan")}, {"traceparent": "00-zz"}])
def test_headers_that_make_no_sense_change_nothing(telemetry, headers, monkeypatch):
    """A14, B5: what another sender wrote."""
    monkeypatch.setattr("otelkit.tasks.carrying.write", lambda found: found.update(headers))
    tasks.ship.delay()
    finished(telemetry)
    span = telemetry.span("process orders.ship")
    assert (span["parent_span_id"], "task.wait_ms" in span["attributes"]) == (None, False)


@pytest.mark.usefixtures("eager")
def test_in_eager_mode_a_task_is_a_part_of_what_calls_it(telemetry):
    """A20: there is no broker, so nothing is sent and nothing waits."""
    with SHOP:
        Client().get("/orders/ship")
    process = telemetry.span("process orders.ship")
    assert process["parent_span_id"] == telemetry.span("GET /orders/{name}")["span_id"]
    assert set(process["attributes"]) == {"task.name", "messaging.message.id"}
    assert telemetry.point("task.duration", queue="", outcome="ok")["count"] == 1
    assert "task.wait.duration" not in telemetry.metrics
    assert not [span for span in telemetry.spans if span["kind"] == "PRODUCER"]


def test_a_retry_in_eager_mode_is_in_the_same_trace(telemetry):
    """A20."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        assert tasks.retry.apply().get() == "at last"
    first, second = (span for span in telemetry.spans if span["name"] == "process orders.retry")
    assert first["parent_span_id"] == second["parent_span_id"] == telemetry.span("work")["span_id"]
    assert {p["attributes"]["outcome"]: p["count"] for p in telemetry.metrics["task.duration"]} == {"retry": 1, "ok": 1}


def test_what_leaves_through_a_task_is_its_error_and_goes_on(telemetry):
    """A7: SystemExit is no failure that Celery would tell of."""
    with pytest.raises(SystemExit) as leaving:
        tasks.leave.apply()
    assert leaving.value.code == 3
    assert telemetry.point("task.duration", task_name="orders.leave", outcome="error")["count"] == 1
    assert telemetry.point("task.active")["value"] == 0
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_broker_that_is_not_there_is_an_error_of_the_sender(telemetry):
    """B6: the caller gets what Celery raises."""
    lonely = Celery("lonely", broker="redis://127.0.0.1:1//", set_as_current=False)
    lonely.conf.update(broker_url="pyamqp://127.0.0.1:1//", task_publish_retry=False)
    with pytest.raises(OperationalError) as refused:
        lonely.send_task("orders.ship")
    span = telemetry.span("send orders.ship")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "kombu.exceptions.OperationalError")
    assert span["attributes"]["messaging.system"] == "rabbitmq"
    assert type(refused.value) is OperationalError
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_task_by_a_schedule_says_when_it_last_went_well(telemetry):
    """A20: by Celery's beat; what somebody sends by hand is no run of the schedule."""
    schedule = Scheduler(app, schedule={}, lazy=True)
    tasks.ship.delay()
    finished(telemetry)
    assert "task.last_success.time" not in telemetry.metrics
    for name in ("ship", "fail"):
        schedule.apply_async(schedule.Entry(name=f"every night: {name}", task=f"orders.{name}", schedule=3600.0, app=app))
    finished(telemetry, 3)
    (point,) = telemetry.metrics["task.last_success.time"]
    assert point["attributes"] == {"task.name": "orders.ship"}
    assert point["value"] == pytest.approx(telemetry.spans[-1]["start_ns"] / 1e9, abs=60)


@pytest.mark.parametrize("comes", ["before", "after"])
def test_upstreams_instrumentation_stands_down(comes, caplog):
    """A4, A26: one span each, and it is there again when the kit is gone."""
    caplog.set_level(logging.INFO, "otelkit.libraries")
    upstream: Any = CeleryInstrumentor()
    alone = list(signals.task_prerun.receivers)
    try:
        if comes == "before":
            upstream.instrument()
        with capture() as telemetry:
            if comes == "after":
                upstream.instrument()
            tasks.ship.delay()
            finished(telemetry)
            assert sorted(span["name"] for span in telemetry.spans) == ["pack", "process orders.ship", "send orders.ship"]
            assert "opentelemetry-instrumentation-celery stands down" in caplog.text
        assert len(signals.task_prerun.receivers) == len(alone) + 1
        assert upstream.is_instrumented_by_opentelemetry
    finally:
        upstream.uninstrument()
    assert signals.task_prerun.receivers == alone


def test_a_library_that_is_disabled_is_left_alone(monkeypatch):
    """A25."""
    before = Celery.send_task
    with capture({"libraries": {"disabled": ["celery"]}}) as telemetry:
        assert Celery.send_task is before
        assert tasks.ship.apply().get() == "shipped"
        assert [span["name"] for span in telemetry.spans] == ["pack"]


def test_after_the_end_celery_is_as_it_was():
    """A26."""
    before = (Celery.send_task, {name: list(getattr(signals, name).receivers) for name in HEARD})
    with capture():
        assert Celery.send_task is not before[0]
    assert (Celery.send_task, {name: list(getattr(signals, name).receivers) for name in HEARD}) == before
    assert startup.current() is None


def test_a_tracer_that_raises_costs_the_span_and_not_the_task(telemetry, monkeypatch, caplog):
    """B6."""
    monkeypatch.setattr(telemetry.runtime.tracer, "start_span", lambda *args, **kwargs: 1 / 0)
    assert tasks.ship.delay().get(timeout=20) == "shipped"
    finished(telemetry)
    assert "otelkit could not trace" in caplog.text
    assert telemetry.point("task.duration", outcome="ok")["count"] == 1
