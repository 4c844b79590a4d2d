"""The current trace context, as log lines spell it."""

from __future__ import annotations

from opentelemetry import trace

from otelkit.catalog import logs as keys


def current_trace_context() -> dict[str, str | bool]:
    """``trace_id`` (32 hex digits), ``span_id`` (16) and ``trace_sampled``; empty without a valid context.

    Present for sampled-out requests too: the lines of one request still find one another, and ``trace_sampled`` explains
    why the link to the trace leads nowhere.
    """
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {
        # Padded: an id may begin with zeros, and unpadded one in sixteen lines could not be joined to its trace.
        keys.TRACE_ID: format(context.trace_id, "032x"),
        keys.SPAN_ID: format(context.span_id, "016x"),
        keys.TRACE_SAMPLED: context.trace_flags.sampled,
    }
