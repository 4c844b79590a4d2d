"""The kit's light spans: what the API promises, the SDK's sampling, and the SDK's own spans as soon as somebody else listens."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from otelkit.export.spans import encode_spans
from otelkit.testing import capture
from otelkit.testing.decoding import decode_spans
from otelkit.traces.provider import GuestFriendlyTracer, KitTracerProvider, SwitchedProcessor, SwitchedSampler
from otelkit.traces.span import MOST_ATTRIBUTES
from otelkit.traces.suppression import suppressed
from otelkit.traces.tracer import KitTracer

REMOTE = SpanContext(0x1234, 0x5678, is_remote=True, trace_flags=TraceFlags(1))


def exported(spans: list[Any]) -> list[dict[str, Any]]:
    return decode_spans([encode_spans({}, spans)])


def sdk_tracer(take: list[Any]) -> Tracer:
    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            take.append(span)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Keep())
    return provider.get_tracer("otelkit", "1")


def work(tracer: Tracer) -> None:
    """Everything that the API of a span offers."""
    parent = trace.set_span_in_context(NonRecordingSpan(REMOTE), Context())
    span = tracer.start_span("first", parent, SpanKind.CLIENT, {"a": 1, "b": "two"}, [Link(REMOTE, {"why": "linked"})], 1_000)
    span.set_attribute("c", [1.5, 2.5])
    span.set_attributes({"a": 3, "d": True})
    span.add_event("thing", {"size": 4}, 2_000)
    span.add_link(REMOTE, {"why": "later"})
    span.update_name("renamed")
    span.set_status(Status(StatusCode.ERROR, "broken"))
    span.set_status(StatusCode.UNSET)
    span.end(3_000)
    for late in (lambda: span.set_attribute("late", 1), lambda: span.add_event("late"), lambda: span.update_name("late"), span.end):
        late()
    done = tracer.start_span("good", Context(), start_time=1_000)
    done.set_status(StatusCode.OK)
    done.set_status(StatusCode.ERROR, "OK is final")
    done.end(2_000)


@pytest.mark.filterwarnings("ignore")
def test_a_light_span_leaves_what_the_sdks_leaves(caplog):
    ours: list[Any] = []
    theirs: list[Any] = []
    work(KitTracer("otelkit", "1", 1.0, ours.append))
    work(sdk_tracer(theirs))

    def told(spans: list[Any]) -> list[dict[str, Any]]:
        return [{key: value for key, value in span.items() if key not in ("trace_id", "span_id")} for span in exported(spans)]

    assert told(ours) == told(theirs)
    assert exported(ours)[0]["trace_id"] == exported(theirs)[0]["trace_id"] == f"{REMOTE.trace_id:032x}"


def test_the_same_traces_are_kept_as_by_the_sdks_sampler(monkeypatch):
    sampler = ParentBased(TraceIdRatioBased(0.3))
    dice = random.Random(7)
    kept = 0
    for _ in range(1_000):
        trace_id = dice.getrandbits(128)
        monkeypatch.setattr("otelkit.traces.tracer.random.getrandbits", lambda bits, trace_id=trace_id: trace_id if bits == 128 else 1)
        span = KitTracer("otelkit", "1", 0.3, [].append).start_span("x", Context())
        wanted = sampler.should_sample(Context(), trace_id, "x").decision.is_sampled()
        assert span.is_recording() is wanted
        assert span.get_span_context().trace_flags.sampled is wanted
        kept += wanted
    assert 200 < kept < 400


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
def test_a_callers_decision_and_flags_are_kept(flags):
    caller = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(flags))
    span = KitTracer("otelkit", "1", 1.0, [].append).start_span("x", trace.set_span_in_context(NonRecordingSpan(caller), Context()))
    assert span.is_recording() is bool(flags & 1)
    assert span.get_span_context().trace_flags == flags
    assert span.get_span_context().trace_id == 1


def test_nothing_is_kept_where_silence_is_asked_for():
    span = KitTracer("otelkit", "1", 1.0, [].append).start_span("x", suppressed(Context()))
    assert not span.is_recording()
    assert not span.get_span_context().trace_flags.sampled


def test_attributes_beyond_the_limit_are_counted_and_left_out():
    spans: list[Any] = []
    span = KitTracer("otelkit", "1", 1.0, spans.append).start_span("x", Context())
    span.set_attributes({f"key{number}": number for number in range(MOST_ATTRIBUTES + 5)})
    span.end()
    assert len(spans[0].attributes) == MOST_ATTRIBUTES
    assert spans[0].dropped_attributes == 5


def test_a_span_never_ends_before_it_began(monkeypatch):
    """The clock may be set back in between."""
    spans: list[Any] = []
    span = KitTracer("otelkit", "1", 1.0, spans.append).start_span("x", Context())
    monkeypatch.setattr("otelkit.traces.span.time_ns", lambda: 0)
    span.end()
    assert spans[0].end_time >= spans[0].start_time > 0


def test_an_exception_in_a_current_span_is_recorded_without_its_secret():
    spans: list[Any] = []
    tracer = KitTracer("otelkit", "1", 1.0, spans.append)
    secret = "hunter" + str(2)
    with pytest.raises(ValueError, match="password"), tracer.start_as_current_span("x"):
        raise ValueError(f"password={secret}")
    (span,) = exported(spans)
    assert (span["status"], span["events"][0]["attributes"]["exception.type"]) == ("ERROR", "ValueError")
    assert secret not in str(span["events"])


TRACER = trace.get_tracer("shop", "2.0", attributes={"team": "a"})
"""As a project has it: made when a module is imported, long before anything starts."""


@TRACER.start_as_current_span("boil")
def boil(eggs: int) -> int:
    return eggs


@TRACER.start_as_current_span("brew")
async def brew(cups: int) -> int:
    await asyncio.sleep(0)
    with TRACER.start_as_current_span("pour"):
        return cups


def make_tea() -> tuple[int, int, int]:
    return boil(3), boil(4), asyncio.run(brew(2))


def test_a_projects_tracer_decorates_functions_and_coroutines_and_follows_start_and_stop():
    tracer = trace.get_tracer("shop")
    for _ in range(2):
        assert make_tea() == (3, 4, 2)
        with capture() as telemetry:
            assert make_tea() == (3, 4, 2)
            telemetry.assert_span("boil", times=2)
            telemetry.assert_span("pour", parent="brew")
            assert telemetry.span("brew")["scope"] == "shop"
            assert telemetry.span("brew")["duration_s"] >= telemetry.span("pour")["duration_s"]
            assert isinstance(tracer.start_span("x"), ReadableSpan), "it is the SDK's span all the same"
        assert not tracer.start_span("x").is_recording()


def test_a_list_is_taken_as_it_was():
    with capture() as telemetry:
        for tracer in (telemetry.runtime.tracer, trace.get_tracer("shop")):
            span, eggs = tracer.start_span("boil"), [1, 2]
            span.set_attribute("eggs", eggs)
            eggs.append(3)
            span.end()
        telemetry.assert_span("boil", {"eggs": [1, 2]}, times=2)


def test_a_processor_of_the_project_sees_the_kits_spans_too():
    """Interoperation: light spans are only for as long as nobody else listens."""
    taken: list[Any] = []
    seen: list[str] = []
    processor, sampler = SwitchedProcessor(), SwitchedSampler()
    sampler.sampler = ParentBased(TraceIdRatioBased(1.0))
    processor.take = taken.append
    provider = KitTracerProvider(sampler, processor)
    tracer = GuestFriendlyTracer(provider, "otelkit", "1", 1.0, taken.append)
    tracer.start_span("before", Context()).end()

    class Guest(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            seen.append(span.name)

    provider.add_span_processor(Guest())
    tracer.start_span("after", Context()).end()
    assert seen == ["after"]
    assert [span.name for span in taken] == ["before", "after"]
