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

from otelkit.export.sizes import SPAN, size_of_span
from otelkit.export.spans import encode_spans
from otelkit.testing import capture
from otelkit.testing.decoding import decode_spans
from otelkit.traces import contexts
from otelkit.traces.provider import GuestFriendlyTracer, KitTracerProvider, SwitchedProcessor, SwitchedSampler
from otelkit.traces.span import MOST_ATTRIBUTES
from otelkit.traces.suppression import is_suppressed, suppressed
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


def test_a_tracer_made_after_the_newcomer_leaves_its_spans_to_the_sdk_at_once():
    taken: list[Any] = []
    processor, sampler = SwitchedProcessor(), SwitchedSampler()
    sampler.sampler = ParentBased(TraceIdRatioBased(1.0))
    processor.take = taken.append
    provider = KitTracerProvider(sampler, processor)
    provider.add_span_processor(SpanProcessor())
    GuestFriendlyTracer(provider, "otelkit", "1", 1.0, taken.append).start_span("x", Context()).end()
    assert isinstance(taken[0], ReadableSpan)


def test_contexts_made_without_checks_are_those_of_the_api():
    made = contexts.local_span_context(0x1234, 0x5678, TraceFlags(3), None)
    by_the_api = SpanContext(0x1234, 0x5678, False, TraceFlags(3))
    assert (type(made), tuple(made), made.is_valid, made.trace_state) == (SpanContext, tuple(by_the_api), True, by_the_api.trace_state)
    span, base = NonRecordingSpan(made), Context({"colour": "red"})
    for outer in (base, Context()):
        inner = contexts.with_span(span, outer)
        assert (type(inner), inner) == (Context, trace.set_span_in_context(span, outer))
        assert trace.get_current_span(inner) is contexts.span_in(inner) is span
    assert contexts.trace_id_text(made) == f"{made.trace_id:032x}"
    assert contexts.span_id_text(made) == f"{made.span_id:016x}"
    assert not is_suppressed(base)


class StrangeContext:
    """Ids of a tracer that keeps them in a class of its own, with plain numbers as flags."""

    trace_id, span_id, is_remote, trace_flags, trace_state, is_valid = 0xABC, 0xDEF, False, 1, None, True


class StrangeSpan(NonRecordingSpan):
    """The span of a tracer that stands beside OpenTelemetry's SDK."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)


@pytest.mark.parametrize(
    ("span", "parent"),
    [
        (StrangeSpan(StrangeContext()), (0xABC, 0xDEF)),
        (StrangeSpan(SpanContext(0xABC, 0xDEF, False, 1)), (0xABC, 0xDEF)),  # type: ignore[arg-type]
        (StrangeSpan(SpanContext(0, 0xDEF, False)), None),
        (trace.INVALID_SPAN, None),
        ("no span at all", None),
    ],
    ids=["class of its own", "plain flags", "invalid", "none", "text"],
)
def test_what_others_put_into_a_context_is_read_with_care(span: Any, parent: tuple[int, int] | None):
    """A4: the kit's span is the child of whatever valid span is current, by whichever tracer."""
    spans: list[Any] = []
    child = KitTracer("otelkit", "1", 1.0, spans.append).start_span("x", trace.set_span_in_context(span, Context()))
    child.end()
    assert [found.parent and (found.parent.trace_id, found.parent.span_id) for found in spans] == [parent]
    assert child.get_span_context().trace_flags.sampled
    assert parent is None or child.get_span_context().trace_id == parent[0]


@pytest.mark.parametrize(
    "grow",
    [
        lambda span: span.set_attribute("long", "x" * 5_000),
        lambda span: span.add_event("long", {"long": "x" * 5_000}),
        lambda span: span.add_link(REMOTE, {"long": "x" * 5_000}),
    ],
    ids=["attribute", "event", "link"],
)
def test_a_span_that_was_small_is_looked_at_again_once_something_is_added(grow: Any):
    """B4: the queue's bound counts what a project adds to the kit's span, whoever filled it before."""
    span: Any = KitTracer("otelkit", "1", 1.0, [].append).start_span("x", Context())
    span.fill({"a": 1}, is_small=True)
    assert size_of_span(span) == SPAN
    grow(span)
    assert size_of_span(span) > SPAN + 5_000
