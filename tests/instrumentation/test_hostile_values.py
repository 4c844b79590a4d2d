"""B5: hostile values on spans. Log lines and exceptions have theirs in the folder logs, labels in metrics."""

from __future__ import annotations

import threading

import pytest
from django.utils.functional import lazy
from django.utils.translation import get_language, override
from opentelemetry import metrics, trace
from opentelemetry.trace import Link, SpanContext, StatusCode

from otelkit.testing import capture
from tests.instrumentation.logs.hostile import HOSTILE, BrokenError, BrokenStr

each = pytest.mark.parametrize("name", HOSTILE)
ELSEWHERE = SpanContext(1, 2, is_remote=True)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except Exception:  # noqa: BLE001  (whatever a value that is asked for its hash may raise)
        return False
    return True


@each
@pytest.mark.parametrize("whose", ["the kit's", "the project's"])
def test_any_value_may_be_set_on_a_span(name, whose):
    """B5: on the request's span and on the project's own, as attribute, key, list member, event, link, name and status."""
    value = HOSTILE[name]
    with capture({"export": {"queue_bytes": 1_000_000_000}}) as telemetry:  # otherwise one span of 70 MB is one too large
        tracer = telemetry.runtime.tracer if whose == "the kit's" else trace.get_tracer("shop")
        with tracer.start_as_current_span("work", attributes={"started": value}, links=[Link(ELSEWHERE, {"v": value})]) as span:
            span.set_attribute("value", value)
            span.set_attributes({"inner": [value], "after": 1, **({value: 1} if _is_hashable(value) else {})})
            span.add_event("event", {"value": value})
            span.add_link(ELSEWHERE, {"value": value})
            span.record_exception(ValueError(value), {"value": value})
        with tracer.start_as_current_span("named") as span:
            span.update_name(value)
            span.add_event(value, {})
            span.set_status(StatusCode.ERROR, value)
        work = telemetry.span("work")
        assert work["attributes"]["after"] == 1
        assert {"started", "value", "inner"} <= work["attributes"].keys()
        assert [event["name"] for event in work["events"]] == ["event", "exception"]
        assert len(work["links"]) == 2
        assert [span["status"] for span in telemetry.spans] == ["UNSET", "ERROR"]
        assert all(len(body) < 1_000_000 for body in telemetry.bodies("traces"))


@pytest.mark.parametrize("whose", ["the kit's", "the project's", "the SDK's"])
def test_a_value_is_shown_in_the_thread_that_set_it(whose):
    """B5: a lazy text is in the language of the request, and what a value's ``__str__`` does is not the export thread's business."""
    shown_in: list[int] = []

    def show() -> str:
        shown_in.append(threading.get_ident())
        return f"in {get_language()}"

    value = lazy(show, str)()
    with capture({}, {"OTEL_SPAN_LINK_COUNT_LIMIT": "128"} if whose == "the SDK's" else {}) as telemetry, override("de"):
        tracer = telemetry.runtime.tracer if whose == "the kit's" else trace.get_tracer("shop")
        with tracer.start_as_current_span("work", attributes={"started": value}, links=[Link(ELSEWHERE, {"v": value})]) as span:
            span.set_attribute("value", value)
            span.set_attributes({"inner": [value]})
            span.add_event("event", {"value": value})
            span.add_link(ELSEWHERE, {"value": value})
            span.record_exception(ValueError(value), {"value": value})
        work = telemetry.span("work")
    assert set(shown_in) == {threading.get_ident()}
    assert {work["attributes"][key] for key in ("started", "value")} == {"in de"}
    assert [event["attributes"].get("value") for event in work["events"]] == ["in de", "in de"]


def test_a_tracer_and_a_meter_that_are_asked_for_again_and_again_are_guarded_once():
    """As a function does that asks at each call: guards in guards would end the recursion that Python allows."""
    with capture({}, {"OTEL_SPAN_LINK_COUNT_LIMIT": "128"}) as telemetry:
        asked = [(trace.get_tracer_provider().get_tracer("shop"), metrics.get_meter_provider().get_meter("shop")) for _ in range(3)]
        for tracer, meter in asked:
            with tracer.start_as_current_span("work"):
                meter.create_counter("tests.asked").add(1)
        guards = [kind for tracer, meter in asked for kind in (*type(tracer).__mro__, *type(meter).__mro__) if "Guarded" in kind.__name__]
        assert len(guards) == 2 * len(asked)
        assert len(telemetry.spans) == len(asked)


def test_an_exception_that_cannot_be_shown_goes_on_as_it_is():
    """B5: OpenTelemetry's own ``use_span`` raises what its ``__str__`` raises, in its place."""
    with capture() as telemetry:
        with pytest.raises(BrokenError), trace.get_tracer("shop").start_as_current_span("work"):
            raise BrokenError
        span = telemetry.span("work")
        assert span["status_message"] == "BrokenError: <unserializable BrokenError: RuntimeError>"
        (event,) = span["events"]
        assert event["attributes"]["exception.message"] == "<unserializable BrokenError: RuntimeError>"


def test_no_value_costs_another_span_its_place():
    """B2, B5: what cannot be encoded is one dropped span, not a batch."""
    with capture() as telemetry:
        for number in range(20):
            span = trace.get_tracer("shop").start_span(f"work {number}")
            span.set_attribute(BrokenStr(), BrokenStr())
            span.end()
        assert len(telemetry.spans) == 20
