"""The tracer that the kit's own spans come from: sampling first, and a light span only for what is kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, TraceFlags, Tracer, TraceState
from opentelemetry.util.types import Attributes

from otelkit.traces.attributes import plain_attributes
from otelkit.traces.contexts import local_span_context, parent_in
from otelkit.traces.span import RecordingSpan
from otelkit.traces.suppression import is_suppressed

_ROOT_SAMPLED, _ROOT_NOT_SAMPLED = TraceFlags(0x03), TraceFlags(0x02)
"""With the flag that says the id is random (W3C trace context, level 2)."""

_LOW_64_BITS = (1 << 64) - 1


class KitTracer(Tracer):
    """Follows the decision of the caller; of new traces keeps ``sample_ratio``, chosen by the id as OpenTelemetry's sampler does.

    With ``follows_caller=False`` it keeps that share of all traces, whatever callers decided.
    """

    def __init__(
        self, name: str, version: str, sample_ratio: float, take: Callable[[Any], None] | None, *, follows_caller: bool = True
    ) -> None:
        self._scope = InstrumentationScope(name, version)
        self._bound = round(sample_ratio * (1 << 64))
        self._take = take
        self._follows_caller = follows_caller

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002  (OpenTelemetry's signature; start_as_current_span uses it)
        set_status_on_exception: bool = True,  # noqa: ARG002
    ) -> Span:
        found = get_current() if context is None else context
        parent = parent_in(found)
        state: TraceState | None = None
        if parent is None:
            trace_id = random.getrandbits(128) or 1
            flags = _ROOT_SAMPLED if trace_id & _LOW_64_BITS < self._bound else _ROOT_NOT_SAMPLED
        else:
            trace_id, _, _, flags, state, _ = parent
            if not self._follows_caller:
                is_kept = trace_id & _LOW_64_BITS < self._bound
                flags = TraceFlags(flags | TraceFlags.SAMPLED if is_kept else flags & ~TraceFlags.SAMPLED)
        take = self._take
        if take is None or (found and is_suppressed(found)):
            flags = TraceFlags(flags & ~TraceFlags.SAMPLED)
        made = local_span_context(trace_id, random.getrandbits(64) or 1, flags, state)
        if take is None or not flags & TraceFlags.SAMPLED:
            return NonRecordingSpan(made)
        span = RecordingSpan(name, made, parent, kind, self._scope, take)
        if attributes:
            span.set_attributes(attributes)
        if links:
            span.links = tuple(Link(link.context, plain_attributes(link.attributes)) for link in links)
        if start_time is not None:
            span.start_time = start_time
        return span

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # the API's decorator form is not needed here
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception) as current:
            yield current
