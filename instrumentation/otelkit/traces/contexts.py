"""Contexts and span contexts, made and read without the checks of OpenTelemetry's own functions: the kit knows what it puts in.

Those functions copy, look a type up in an abstract class, and compare ids with their bounds: together a tenth of what a request cost us.
What they make is made here the same way, which the import checks; where a release changes it, their own way is taken. What others have put
into a context is read with every check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import DEFAULT_TRACE_STATE, INVALID_SPAN, NonRecordingSpan, Span, SpanContext, TraceFlags, TraceState

from otelkit.traces.span import RecordingSpan

_SPAN_KEY = next(iter(trace.set_span_in_context(INVALID_SPAN, Context())))
"""Under which a context holds its span. The API keeps the name to itself, so one context is made to read it from."""


def span_in(context: Context) -> Span | None:
    """The context's span, where it has one."""
    span: Any = context.get(_SPAN_KEY)
    kind = type(span)
    return span if kind is RecordingSpan or kind is NonRecordingSpan or isinstance(span, Span) else None


def context_of(span: Span) -> SpanContext:
    """The span's context, whose fields are what OpenTelemetry says that they are."""
    found = span.get_span_context()
    if type(found) is SpanContext and type(found[3]) is TraceFlags:
        return found
    # A span that somebody else made, who keeps ids in something that has these names.
    return SpanContext(found.trace_id, found.span_id, found.is_remote, TraceFlags(found.trace_flags), found.trace_state)


def parent_in(context: Context) -> SpanContext | None:
    """What a new span in this context is a child of; None where it begins a trace."""
    span: Any = context.get(_SPAN_KEY)
    if span is None:
        return None
    if type(span) is RecordingSpan:
        return span.context
    if not isinstance(span, Span):
        return None
    found = context_of(span)
    return found if found.is_valid else None


def with_span(span: Span, base: Context) -> Context:
    """The context with this span as the current one."""
    return Context({**base, _SPAN_KEY: span}) if base else Context({_SPAN_KEY: span})


def trace_id_text(span: SpanContext) -> str:
    """The trace's id in 32 hex digits."""
    return span[0].to_bytes(16, "big").hex()  # half the cost of a format with leading zeros


def span_id_text(span: SpanContext) -> str:
    """The span's id in 16 hex digits."""
    return span[1].to_bytes(8, "big").hex()


def _made_by_hand(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState | None) -> SpanContext:
    return tuple.__new__(SpanContext, (trace_id, span_id, False, flags, DEFAULT_TRACE_STATE if state is None else state, True))


def _made_by_the_api(trace_id: int, span_id: int, flags: TraceFlags, state: TraceState | None) -> SpanContext:
    return SpanContext(trace_id, span_id, False, flags, state)


def _agree(*makers: Callable[..., SpanContext]) -> bool:
    made = [make(1, 2, TraceFlags(1), None) for make in makers]
    fields = [(m.trace_id, m.span_id, m.is_remote, m.trace_flags, m.trace_state, m.is_valid, tuple(m)) for m in made]
    return all(found == fields[0] for found in fields)


local_span_context = _made_by_hand if _agree(_made_by_the_api, _made_by_hand) else _made_by_the_api
"""The span context of a span of this process, from valid ids: ``local_span_context(trace_id, span_id, flags, state)``."""
