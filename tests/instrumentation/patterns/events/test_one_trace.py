"""From the request to the second service an event is one trace, asserted span by span."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from django.test import Client, override_settings

from otelkit.catalog.spans import EVENT_PROCESS, EVENT_SEND
from otelkit.patterns.events import CloudEvent
from otelkit.patterns.events.models import InboxEvent, InboxState, OutboxEvent, OutboxState
from otelkit.testing import capture
from tests.instrumentation.libraries.celery_shop.app import sender
from tests.instrumentation.libraries.workers import received, worker
from tests.instrumentation.patterns.events.conftest import Post
from tests.instrumentation.servers.running import running
from tests.instrumentation.servers.table import named
from tests.project.models import Item
from tests.receivers import receiver


@override_settings(ROOT_URLCONF="tests.instrumentation.patterns.events.placing")
def test_an_event_is_one_trace_from_the_request_to_the_second_service(post: Post):
    """A20: request -> row -> relay -> broker -> consumer -> outbound call -> second service, and every log line within it."""
    post.declare()
    with receiver() as second, capture() as telemetry:

        def ship(event: CloudEvent) -> None:
            logging.getLogger("shop").warning("shipping %s", event.data["order"])
            httpx.post(f"{second.endpoint}/parcels", content=b"{}")

        assert Client().post("/orders/42").status_code == 201
        assert post.relay() == 1
        assert post.consume(post.subscription(ship)) == 1

        root = telemetry.assert_span("POST /orders/{number}", kind="SERVER")
        insert = telemetry.assert_span("INSERT otelkit_outbox", kind="CLIENT", parent="POST /orders/{number}")
        sent = telemetry.assert_span("send orders", kind="PRODUCER", parent="POST /orders/{number}")
        worked = telemetry.assert_span("process orders", kind="CONSUMER", parent="send orders")
        called = telemetry.assert_span("POST", kind="CLIENT", parent="process orders")
        assert {span["trace_id"] for span in (root, insert, sent, worked, called)} == {root["trace_id"]}
        (_, headers, _) = second.requests[0]
        assert headers["traceparent"] == f"00-{root['trace_id']}-{called['span_id']}-{headers['traceparent'][-2:]}"
        line = telemetry.assert_log("shipping 42")
        assert (line["trace_id"], line["span_id"]) == (worked["trace_id"], worked["span_id"])
    assert set(sent["attributes"]) <= {label.name for label in EVENT_SEND.attributes}
    assert set(worked["attributes"]) <= {label.name for label in EVENT_PROCESS.attributes}
    assert OutboxEvent.objects.get().state == OutboxState.PUBLISHED
    assert InboxEvent.objects.get().state == InboxState.DONE
    Item.objects.all().delete()


@override_settings(ROOT_URLCONF="tests.instrumentation.patterns.events.placing")
def test_the_longest_way_is_one_trace(post: Post, tmp_path: Path):
    """A20: request -> row -> relay -> broker -> consumer -> Celery's broker -> worker -> outbound call -> second service.

    The first four in this process, the worker's child and the second service in their own.
    """
    post.declare()
    folders = [tmp_path / name for name in ("worker", "parcels")]
    for folder in folders:
        folder.mkdir()
    service = named("gunicorn sync")
    with (
        receiver() as collector,
        running(service, folders[1], collector.endpoint, {"OTEL_SERVICE_NAME": "parcels"}) as parcels,
        worker(folders[0], collector.endpoint, "-c", "1", environment={"OTEL_SERVICE_NAME": "shop-worker"}) as celery,
        capture() as telemetry,
    ):
        parcels.wait_until_ready(service.workers)
        queue = sender(folders[0])

        def ship(event: CloudEvent) -> None:
            logging.getLogger("shop").warning("shipping %s", event.data["order"])
            queue.send_task("orders.book", [f"http://127.0.0.1:{parcels.port}/hello"])

        assert Client().post("/orders/42").status_code == 201
        assert post.relay() == 1
        assert post.consume(post.subscription(ship)) == 1
        celery.wait_until(lambda: "succeeded" in celery.text, "the task does not run")
        assert (celery.stop(), parcels.stop()) == (0, 0)
        trace_id = telemetry.span("POST /orders/{number}")["trace_id"]
        spans = [span for span in (*telemetry.spans, *received(collector).spans) if span["trace_id"] == trace_id]
        lines = [line for line in (*telemetry.lines, *celery.lines, *parcels.lines) if line.get("trace_id") == trace_id]
    Item.objects.all().delete()

    way = way_of(spans, "GET /hello")
    assert [(span["kind"], span["name"]) for span in way] == [
        ("SERVER", "POST /orders/{number}"),
        ("PRODUCER", "send orders"),
        ("CONSUMER", "process orders"),
        ("PRODUCER", "send orders.book"),
        ("CONSUMER", "process orders.book"),
        ("CLIENT", "GET"),
        ("SERVER", "GET /hello"),
    ]
    beside = [span for span in spans if span not in way]
    assert {(span["kind"], span["attributes"]["db.system.name"]) for span in beside} == {("CLIENT", "sqlite")}
    (stored,) = (span for span in beside if span["name"] == "INSERT otelkit_outbox")
    assert stored["parent_span_id"] == way[0]["span_id"]
    assert not [span["name"] for span in spans if span["status"] == "ERROR"]

    request, _, consuming, _, booking, _, answering = (span["span_id"] for span in way)
    said = {(line["span_id"], line["message"].partition("[")[0], line["service.name"]) for line in lines}
    own = telemetry.runtime.resource["service.name"]
    assert said >= {
        (request, "POST /orders/{number} 201", own),
        (consuming, "shipping 42", own),
        (booking, "booking a parcel", "shop-worker"),
        (booking, "Task orders.book", "shop-worker"),
        (answering, "GET /hello 200", "parcels"),
    }
    assert [line["message"] for line in celery.lines if "task.name" in line and line["trace_id"] != trace_id] == []


def way_of(spans: Iterable[dict[str, Any]], last: str) -> list[dict[str, Any]]:
    """The span of this name, and before it its parents up to the root."""
    by_id = {span["span_id"]: span for span in spans}
    (span,) = (span for span in by_id.values() if span["name"] == last)
    way = [span]
    while (parent := way[0]["parent_span_id"]) is not None:
        way.insert(0, by_id[parent])
    return way
