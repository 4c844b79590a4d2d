"""Spans of an OTLP request as rows."""

from __future__ import annotations

import json
from functools import lru_cache

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.catalog.span_metrics import DIMENSIONS
from otelkit_stack.receiver.as_sent import converted, sent
from otelkit_stack.receiver.attributes import KnownAttributes, attributes_of, object_of, resource_row, scope_row
from otelkit_stack.receiver.refusals import MAX_NS, Refusals
from otelkit_stack.rows import Batch, ResourceRow, ScopeRow, SpanRow, json_text

_NONE = "[]"
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)


def read_traces(request: ExportTraceServiceRequest, known: KnownAttributes | None = None) -> tuple[Batch, Refusals]:
    """Rows of the spans that can be stored, and why others cannot: ids that are no ids, times past 2262.

    ``known`` are the attributes of earlier requests; it learns those of this one. Raises RefusedError (400) for a broken attribute.
    """
    batch, refusals = Batch(), Refusals()
    known = KnownAttributes() if known is None else known
    for of_resource in converted(request).resource_spans:
        resource = resource_row(attributes_of(sent(of_resource.resource.attributes)))
        batch.resources[resource.id] = resource
        for of_scope in of_resource.scope_spans:
            scope = scope_row(of_scope.scope)
            batch.scopes[scope.id] = scope
            for span in of_scope.spans:
                if fault := _fault(span):
                    refusals.add(fault)
                else:
                    members = known.members(sent(span.attributes))
                    batch.spans.append(_row(span, resource, scope, members, known))
                    batch.dimensions.append(tuple([members[name] for name in DIMENSIONS if name in members]))
    return batch, refusals


def _fault(span: Span) -> str | None:
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return "a span's trace_id must be 16 bytes, not all zero"
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return "a span's span_id must be 8 bytes, not all zero"
    if len(span.parent_span_id) not in (0, 8):
        return "a span's parent_span_id must be 8 bytes, or absent"
    if span.start_time_unix_nano > MAX_NS or span.end_time_unix_nano > MAX_NS:
        return "a span's times must lie before the year 2262"
    return None


def _row(span: Span, resource: ResourceRow, scope: ScopeRow, members: dict[str, str], known: KnownAttributes) -> SpanRow:
    parent, start_ns, status, events, links = span.parent_span_id, span.start_time_unix_nano, span.status, span.events, span.links
    route = members.get(HTTP_ROUTE.name)
    # By place: with the names of its fields, making a row takes three times as long.
    return SpanRow(
        span.trace_id,
        span.span_id,
        # A parent of zeros is how some senders write "none".
        parent if parent and parent != _NO_SPAN else None,
        resource.id,
        scope.id,
        resource.service,
        span.name,
        span.kind,
        start_ns,
        # Clocks that were set back while the span ran make it end before it starts.
        max(0, span.end_time_unix_nano - start_ns),
        status.code,
        status.message,
        _text_in(route) if route else None,
        object_of(members),
        f"[{','.join([_event(event, known) for event in events])}]" if events else _NONE,
        f"[{','.join([_link(link, known) for link in links])}]" if links else _NONE,
    )


def _event(event: Span.Event, known: KnownAttributes) -> str:
    return f"[{event.time_unix_nano},{json_text(event.name)},{known.text(sent(event.attributes))}]"


def _link(link: Span.Link, known: KnownAttributes) -> str:
    return f'["{link.trace_id.hex()}","{link.span_id.hex()}",{known.text(sent(link.attributes))}]'


@lru_cache(maxsize=2_000)
def _text_in(member: str) -> str | None:
    """The value of a member of a JSON object, where it is a text."""
    (value,) = json.loads(f"{{{member}}}").values()
    return value if isinstance(value, str) else None
