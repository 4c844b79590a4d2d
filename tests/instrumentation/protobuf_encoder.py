"""Spans and log records as OTLP messages, built from protobuf's own objects: slow and plain, to compare the fast encoder with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, SpanFlags, Status
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from otelkit.export.values import ATTRIBUTE_TEXT_LIMIT, DEEPEST
from otelkit.logs.item import LogItem
from otelkit.redaction import REDACTED, redact_query_strings, redact_text, redactor_of

_INT64 = range(-(2**63), 2**63)


def encode_spans(resource: Mapping[str, Any], spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
    """One scope per instrumentation, in the order in which they first appear."""
    scopes: dict[Any, ScopeSpans] = {}
    for span in spans:
        found = span.instrumentation_scope
        if found not in scopes:
            message = InstrumentationScope()
            if found is not None:
                message = InstrumentationScope(name=found.name, version=found.version or "", attributes=_attributes(found.attributes or {}))
            scopes[found] = ScopeSpans(scope=message, schema_url=(found.schema_url or "") if found else "")
        scopes[found].spans.append(_span(span))
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=_resource(resource), scope_spans=list(scopes.values()))])


def encode_logs(resource: Mapping[str, Any], items: Sequence[LogItem]) -> ExportLogsServiceRequest:
    """One scope per logger, in the order in which they first appear."""
    scopes: dict[str, ScopeLogs] = {}
    for item in items:
        logger = str(item.attributes.get("logger", ""))
        if logger not in scopes:
            scopes[logger] = ScopeLogs(scope=InstrumentationScope(name=_text(logger)))
        scopes[logger].log_records.append(_log(item))
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=_resource(resource), scope_logs=list(scopes.values()))])


def _resource(attributes: Mapping[str, Any]) -> Resource:
    return Resource(attributes=_attributes(attributes))


def _attributes(attributes: Mapping[str, Any], depth: int = DEEPEST) -> list[KeyValue]:
    return [KeyValue(key=_text(str(key)), value=_value(str(key), value, depth)) for key, value in attributes.items()]


def _value(key: str, value: Any, depth: int) -> AnyValue:
    """The value as the rule of its key wants it; inside of lists and dictionaries texts have no key of their own."""
    redact = redactor_of(key)
    if redact is None and value is not None:
        return AnyValue(string_value=REDACTED)
    if redact is not None and isinstance(value, str) and depth == DEEPEST:
        return AnyValue(string_value=_text(redact(value)))
    return _any(value, depth)


def _any(value: Any, depth: int) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=_text(redact_text(value)))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value) if value in _INT64 else AnyValue(string_value=str(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=redact_text(value[:ATTRIBUTE_TEXT_LIMIT].decode("latin-1")).encode("latin-1"))
    if value is None or depth == 0:
        return AnyValue()
    if isinstance(value, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=_attributes(value, depth - 1)))
    assert isinstance(value, Iterable)
    return AnyValue(array_value=ArrayValue(values=[_any(item, depth - 1) for item in value]))


def _text(text: str) -> str:
    if len(text) > ATTRIBUTE_TEXT_LIMIT:
        text = text[:ATTRIBUTE_TEXT_LIMIT] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")


def _flags(context: SpanContext, origin: SpanContext | None) -> int:
    is_remote = SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK if origin and origin.is_remote else 0
    return int(context.trace_flags) | SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | is_remote


def _span(span: ReadableSpan) -> Span:
    context = span.context
    assert context is not None
    return Span(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        parent_span_id=span.parent.span_id.to_bytes(8, "big") if span.parent else b"",
        trace_state=context.trace_state.to_header(),
        flags=_flags(context, span.parent),
        name=_text(redact_query_strings(span.name)),
        kind=span.kind.value + 1,
        start_time_unix_nano=span.start_time,
        end_time_unix_nano=span.end_time,
        attributes=_attributes(span.attributes or {}),
        dropped_attributes_count=span.dropped_attributes,
        events=[
            Span.Event(
                time_unix_nano=event.timestamp,
                name=_text(event.name),
                attributes=_attributes(event.attributes or {}),
                dropped_attributes_count=event.dropped_attributes,
            )
            for event in span.events
        ],
        dropped_events_count=span.dropped_events,
        links=[
            Span.Link(
                trace_id=link.context.trace_id.to_bytes(16, "big"),
                span_id=link.context.span_id.to_bytes(8, "big"),
                trace_state=link.context.trace_state.to_header(),
                attributes=_attributes(link.attributes or {}),
                dropped_attributes_count=link.dropped_attributes,
                flags=_flags(link.context, link.context),
            )
            for link in span.links
        ],
        dropped_links_count=span.dropped_links,
        status=Status(code=span.status.status_code.value, message=_text(redact_text(span.status.description or ""))),
    )


def _log(item: LogItem) -> LogRecord:
    return LogRecord(
        time_unix_nano=item.time_ns,
        observed_time_unix_nano=item.time_ns,
        severity_number=item.severity_number,
        severity_text=_text(item.severity_text),
        body=AnyValue(string_value=_text(item.body)),
        attributes=_attributes({key: value for key, value in item.attributes.items() if key != "logger"}),
        trace_id=item.trace_id.to_bytes(16, "big") if item.trace_id else b"",
        span_id=item.span_id.to_bytes(8, "big") if item.span_id else b"",
        flags=item.trace_flags,
        event_name=_text(item.event_name),
    )
