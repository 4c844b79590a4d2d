"""A trace in the shape of Tempo's ``GET /api/traces/{id}``: OTLP as protobuf's JSON has it, ids in base64.

Source: the answers of Tempo 3.1.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from otelkit_stack.api.tempo_values import present
from otelkit_stack.otlp_json import key_values
from otelkit_stack.records import Span, Trace


def resource_spans(trace: Trace) -> list[dict[str, object]]:
    """The spans of a trace by resource and scope; none where only log lines carry its id."""
    by_resource: dict[str, list[Span]] = {}
    for span in trace.spans:
        by_resource.setdefault(json.dumps(span.resource, sort_keys=True), []).append(span)
    return [_resource_spans(spans) for spans in by_resource.values()]


def _resource_spans(spans: Iterable[Span]) -> dict[str, object]:
    first, *_ = spans
    by_scope: dict[object, list[Span]] = {}
    for span in spans:
        by_scope.setdefault(span.scope, []).append(span)
    return {
        "resource": {"attributes": key_values(first.resource)},
        "scopeSpans": [
            {
                "scope": present(name=of_scope[0].scope.name, version=of_scope[0].scope.version),
                "spans": [_span(span) for span in of_scope],
            }
            for of_scope in by_scope.values()
        ],
    }


def _span(span: Span) -> dict[str, object]:
    status = present(
        message=span.status_message,
        code="" if span.status == "UNSET" else f"STATUS_CODE_{span.status}",
    )
    return present(
        traceId=_base64(span.trace_id),
        spanId=_base64(span.span_id),
        parentSpanId=_base64(span.parent_span_id or ""),
        name=span.name,
        kind=f"SPAN_KIND_{span.kind}",
        startTimeUnixNano=str(span.start_ns),
        endTimeUnixNano=str(span.end_ns),
        attributes=key_values(span.attributes),
        events=[
            present(timeUnixNano=str(event.time_ns), name=event.name, attributes=key_values(event.attributes)) for event in span.events
        ],
        links=[
            present(traceId=_base64(link.trace_id), spanId=_base64(link.span_id), attributes=key_values(link.attributes))
            for link in span.links
        ],
    ) | {"status": status}


def _base64(hex_id: str) -> str:
    return base64.b64encode(bytes.fromhex(hex_id)).decode("ascii")
