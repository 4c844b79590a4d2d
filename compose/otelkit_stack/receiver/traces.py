"""Spans of an OTLP request as rows."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit_stack.receiver.attributes import attributes_of, resource_row, scope_row
from otelkit_stack.receiver.refusals import MAX_NS, Refusals
from otelkit_stack.rows import Batch, ResourceRow, ScopeRow, SpanRow, json_text

_NONE = "[]"


def read_traces(request: ExportTraceServiceRequest) -> tuple[Batch, Refusals]:
    """Rows of the spans that can be stored, and why others cannot: ids that are no ids, times past 2262."""
    batch, refusals = Batch(), Refusals()
    for of_resource in request.resource_spans:
        resource = resource_row(attributes_of(of_resource.resource.attributes))
        batch.resources[resource.id] = resource
        for of_scope in of_resource.scope_spans:
            scope = scope_row(of_scope.scope)
            batch.scopes[scope.id] = scope
            for span in of_scope.spans:
                if fault := _fault(span):
                    refusals.add(fault)
                else:
                    batch.spans.append(_row(span, resource, scope))
    return batch, refusals


def _fault(span: Span) -> str | None:
    if len(span.trace_id) != 16 or not any(span.trace_id):
        return "a span's trace_id must be 16 bytes, not all zero"
    if len(span.span_id) != 8 or not any(span.span_id):
        return "a span's span_id must be 8 bytes, not all zero"
    if len(span.parent_span_id) not in (0, 8):
        return "a span's parent_span_id must be 8 bytes, or absent"
    if max(span.start_time_unix_nano, span.end_time_unix_nano) > MAX_NS:
        return "a span's times must lie before the year 2262"
    return None


def _row(span: Span, resource: ResourceRow, scope: ScopeRow) -> SpanRow:
    attributes, events, links = attributes_of(span.attributes), span.events, span.links
    route = attributes.get(HTTP_ROUTE.name)
    return SpanRow(
        trace_id=span.trace_id,
        span_id=span.span_id,
        # A parent of zeros is how some senders write "none".
        parent_span_id=span.parent_span_id if any(span.parent_span_id) else None,
        resource_id=resource.id,
        scope_id=scope.id,
        service=resource.service,
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        # Clocks that were set back while the span ran make it end before it starts.
        duration_ns=max(0, span.end_time_unix_nano - span.start_time_unix_nano),
        status=span.status.code,
        status_message=span.status.message,
        route=route if isinstance(route, str) else None,
        attributes=json_text(attributes),
        events=json_text([[event.time_unix_nano, event.name, attributes_of(event.attributes)] for event in events]) if events else _NONE,
        links=json_text([[link.trace_id.hex(), link.span_id.hex(), attributes_of(link.attributes)] for link in links]) if links else _NONE,
    )
