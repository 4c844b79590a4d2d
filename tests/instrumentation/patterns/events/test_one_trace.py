"""From the transaction to the consumer an event is one trace, asserted span by span."""

from __future__ import annotations

import pytest
from django.db import transaction

from otelkit.catalog.spans import EVENT_PROCESS, EVENT_SEND
from otelkit.patterns.events import CloudEvent, publish
from otelkit.patterns.events.models import InboxEvent, InboxState, OutboxEvent, OutboxState
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post


def test_an_event_is_one_trace_from_its_row_to_its_consumer(post: Post, caplog: pytest.LogCaptureFixture):
    """A20: request -> row -> relay -> broker -> consumer, one trace, and the consumer's log line within it."""
    import logging

    post.declare()

    def ship(event: CloudEvent) -> None:
        logging.getLogger("shop").warning("shipping %s", event.data["order"])

    with capture() as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("place order"), transaction.atomic():
            publish("order.placed", {"order": 42}, destination="orders", aggregate="order-42", source="orders")
        assert post.relay() == 1
        assert post.consume(post.subscription(ship)) == 1
        root = telemetry.span("place order")
        sent = telemetry.assert_span("send orders", kind="PRODUCER", parent="place order")
        worked = telemetry.assert_span("process orders", kind="CONSUMER", parent="send orders")
        assert {root["trace_id"], sent["trace_id"], worked["trace_id"]} == {root["trace_id"]}
        line = telemetry.assert_log("shipping 42")
        assert (line["trace_id"], line["span_id"]) == (worked["trace_id"], worked["span_id"])
        insert = telemetry.assert_span("INSERT otelkit_outbox", parent="place order")
        assert insert["trace_id"] == root["trace_id"]
    assert set(sent["attributes"]) <= {label.name for label in EVENT_SEND.attributes}
    assert set(worked["attributes"]) <= {label.name for label in EVENT_PROCESS.attributes}
    assert OutboxEvent.objects.get().state == OutboxState.PUBLISHED
    assert InboxEvent.objects.get().state == InboxState.DONE
