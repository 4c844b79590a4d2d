"""Parent or link: an event that was long under way begins a trace of its own, which says where it came from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from otelkit.patterns.events import telemetry
from otelkit.patterns.events.models import OutboxEvent
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post

ORIGIN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = ORIGIN[:-2] + "00"


def test_an_old_event_begins_a_trace_of_its_own_with_a_link(post: Post):
    post.declare()
    post.publish("late")
    OutboxEvent.objects.update(created_at=timezone.now() - timedelta(days=2), traceparent=ORIGIN, tracestate="a=1")
    with capture() as captured:
        post.relay()
        post.consume()
        sent, worked = captured.span("send orders"), captured.span("process orders")
    assert sent["trace_id"] != ORIGIN[3:35]
    assert (sent["parent_span_id"], sent["links"]) == (None, [ORIGIN[3:35]])
    assert worked["links"] == [sent["trace_id"]]


def test_the_caller_s_decision_not_to_sample_is_kept(post: Post):
    post.declare()
    post.publish("unseen")
    OutboxEvent.objects.update(traceparent=UNSAMPLED, tracestate="a=1")
    with capture() as captured:
        post.relay()
        post.consume()
        assert captured.spans == []
    (event,) = post.taken
    assert (event.traceparent[:36], event.traceparent[-2:], event.tracestate) == (UNSAMPLED[:36], "00", "a=1")


def test_with_the_kit_off_the_trace_goes_through_unchanged(post: Post):
    """Also that of another tracer: the row has it, and the consumer's outbound calls continue it."""
    seen: list[Any] = []
    post.declare()
    post.publish("passing")
    OutboxEvent.objects.update(traceparent=ORIGIN, tracestate="a=1")
    post.relay()
    post.consume(post.subscription(lambda _: seen.append(telemetry.current_trace())))
    assert seen == [telemetry.Carried(ORIGIN, "a=1")]


def test_another_outbox_calls_the_telemetry_alone():
    """A thin API: no table, no broker of ours."""
    with capture() as captured:
        with captured.runtime.tracer.start_as_current_span("place order"):
            row = telemetry.current_trace()
        message = telemetry.Message("1", "order.placed", "orders", "orders", system="kafka", carried=row, age=0.25)
        with telemetry.sending(message) as carries:
            assert carries.traceparent.startswith(row.traceparent[:36])
        with telemetry.processing(telemetry.Message("1", "order.placed", "orders", "orders", carried=carries), "shipping"):
            telemetry.processed("shipping", "ok")
        with pytest.raises(OSError, match="gone"), telemetry.sending(message):
            raise OSError("gone")
        captured.assert_span("process orders", parent="send orders")
        captured.assert_span("send orders", {"messaging.system": "kafka"}, parent="place order", times=2)
        assert captured.point("outbox.publish.lag")["sum"] == 0.25
        assert captured.point("inbox.processed", consumer="shipping", outcome="ok")["value"] == 1


def test_what_is_wrong_with_a_message_for_telemetry_is_not_its_sender_s_problem():
    with capture():
        broken = telemetry.Message("1", "t", "s", "orders", carried=telemetry.Carried("no traceparent", "\0"), age=float("nan"))
        with telemetry.sending(broken) as carries, telemetry.processing(broken, "shipping"):
            assert carries.traceparent
