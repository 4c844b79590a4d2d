"""From the request to the second service an event is one trace, asserted span by span."""

from __future__ import annotations

import logging

import httpx
from django.test import Client, override_settings

from otelkit.catalog.spans import EVENT_PROCESS, EVENT_SEND
from otelkit.patterns.events import CloudEvent
from otelkit.patterns.events.models import InboxEvent, InboxState, OutboxEvent, OutboxState
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post
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
