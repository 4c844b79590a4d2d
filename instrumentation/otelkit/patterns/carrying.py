"""A span in a row or a message: how a trace outlives the process that began it."""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext

from otelkit.traces.w3c import read_span_context, traceparent_of

LONGEST_TRACESTATE = 512
"""Characters; a longer one stays behind (W3C Trace Context asks for no more)."""


class Carried(NamedTuple):
    """A span as rows and messages carry it (W3C Trace Context); empty where there is none."""

    traceparent: str = ""
    tracestate: str = ""

    @property
    def span(self) -> SpanContext | None:
        """The span that is carried; None where there is none, or nothing that can be read."""
        return read_span_context(self.traceparent, self.tracestate or None) if self.traceparent else None

    def context(self, base: Context | None = None) -> Context:
        """Within that span, and otherwise as ``base``, which is empty by default."""
        span, base = self.span, Context() if base is None else base
        return base if span is None else trace.set_span_in_context(NonRecordingSpan(span), base)


NOTHING = Carried()


def current_trace() -> Carried:
    """The current span, for a row. Any tracer's: the kit need not run."""
    return carried(trace.get_current_span())


def carried(span: Span) -> Carried:
    """This span."""
    found = span.get_span_context()
    if not found.is_valid:
        return NOTHING
    state = found.trace_state.to_header() if found.trace_state else ""
    return Carried(traceparent_of(found), state if len(state) <= LONGEST_TRACESTATE else "")
