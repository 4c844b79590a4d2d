"""Spans, metrics and log lines as OTLP protobuf requests.

Source: opentelemetry-proto, the messages ExportTraceServiceRequest, ExportMetricsServiceRequest and ExportLogsServiceRequest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar as ExemplarMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from opentelemetry.sdk.trace import ReadableSpan

import otelkit
from otelkit.catalog.metrics import Kind
from otelkit.logs.item import LogItem
from otelkit.metrics.aggregator import OVERFLOW, Exemplar, LabelValues, Snapshot

ATTRIBUTE_TEXT_LIMIT = 16_384
"""Characters of one attribute; longer text is cut, or one value could fill a batch."""

_INT64 = range(-(2**63), 2**63)
_FLAG_HAS_PARENT_IS_REMOTE, _FLAG_PARENT_IS_REMOTE = 0x100, 0x200
_KIT_SCOPE = InstrumentationScope(name="otelkit", version=otelkit.__version__)


def encode_spans(resource: Mapping[str, Any], spans: Sequence[ReadableSpan]) -> bytes:
    """An ExportTraceServiceRequest, one scope per instrumentation."""
    scopes: dict[tuple[str, str], ScopeSpans] = {}
    for span in spans:
        library = span.instrumentation_scope
        key = (library.name, library.version or "") if library else ("", "")
        scope = scopes.get(key)
        if scope is None:
            scope = scopes[key] = ScopeSpans(scope=InstrumentationScope(name=key[0], version=key[1]))
        scope.spans.append(_span(span))
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=_resource(resource), scope_spans=list(scopes.values()))])
    return request.SerializeToString()


def encode_logs(resource: Mapping[str, Any], items: Sequence[LogItem]) -> bytes:
    """An ExportLogsServiceRequest, one scope per logger."""
    scopes: dict[str, ScopeLogs] = {}
    for item in items:
        logger = str(item.attributes.get("logger", ""))
        scope = scopes.get(logger)
        if scope is None:
            scope = scopes[logger] = ScopeLogs(scope=InstrumentationScope(name=logger))
        scope.log_records.append(_log(item))
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=_resource(resource), scope_logs=list(scopes.values()))])
    return request.SerializeToString()


def encode_metrics(resource: Mapping[str, Any], snapshots: Sequence[Snapshot], start_time_ns: int, time_ns: int) -> bytes:
    """An ExportMetricsServiceRequest with cumulative temporality, as Prometheus wants it."""
    metrics = [_metric(snapshot, start_time_ns, time_ns) for snapshot in snapshots]
    scope = ScopeMetrics(scope=_KIT_SCOPE, metrics=metrics)
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=_resource(resource), scope_metrics=[scope])]
    ).SerializeToString()


def _resource(attributes: Mapping[str, Any]) -> Resource:
    return Resource(attributes=_attributes(attributes))


def _attributes(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=_text(key), value=_any(value)) for key, value in attributes.items()]


def _any(value: Any, depth: int = 8) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=_text(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value) if value in _INT64 else AnyValue(string_value=_text(str(value)))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value[:ATTRIBUTE_TEXT_LIMIT])
    if value is None or depth == 0:
        return AnyValue()
    if isinstance(value, Mapping):
        pairs = [KeyValue(key=_text(str(key)), value=_any(item, depth - 1)) for key, item in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    if isinstance(value, Iterable):
        return AnyValue(array_value=ArrayValue(values=[_any(item, depth - 1) for item in value]))
    return AnyValue(string_value=_text(str(value)))


def _text(text: str) -> str:
    if len(text) > ATTRIBUTE_TEXT_LIMIT:
        text = text[:ATTRIBUTE_TEXT_LIMIT] + "…"
    # A lone surrogate (half of a pair, from a broken path or header) cannot be written as UTF-8: protobuf would refuse the batch.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _trace_id(value: int) -> bytes:
    return value.to_bytes(16, "big")


def _span_id(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _span(span: ReadableSpan) -> Span:
    context = span.context
    assert context is not None  # every span that ended has one
    flags = int(context.trace_flags) | _FLAG_HAS_PARENT_IS_REMOTE
    if span.parent is not None and span.parent.is_remote:
        flags |= _FLAG_PARENT_IS_REMOTE
    return Span(
        trace_id=_trace_id(context.trace_id),
        span_id=_span_id(context.span_id),
        parent_span_id=_span_id(span.parent.span_id) if span.parent else b"",
        trace_state=context.trace_state.to_header() if context.trace_state else "",
        flags=flags,
        name=_text(span.name),
        kind=span.kind.value + 1,  # type: ignore[arg-type]  # the API counts from 0, the protocol keeps 0 for "unspecified"
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        attributes=_attributes(span.attributes or {}),
        dropped_attributes_count=span.dropped_attributes,
        events=[
            Span.Event(time_unix_nano=event.timestamp, name=_text(event.name), attributes=_attributes(event.attributes or {}))
            for event in span.events
        ],
        links=[
            Span.Link(
                trace_id=_trace_id(link.context.trace_id),
                span_id=_span_id(link.context.span_id),
                attributes=_attributes(link.attributes or {}),
            )
            for link in span.links
        ],
        status=Status(code=span.status.status_code.value, message=_text(span.status.description or "")),  # type: ignore[arg-type]
    )


def _log(item: LogItem) -> LogRecord:
    return LogRecord(
        time_unix_nano=item.time_ns,
        observed_time_unix_nano=item.time_ns,
        severity_number=item.severity_number,  # type: ignore[arg-type]  # an int is what the enum is on the wire
        severity_text=item.severity_text,
        body=AnyValue(string_value=_text(item.body)),
        attributes=[KeyValue(key=_text(key), value=_any(value)) for key, value in item.attributes.items() if key != "logger"],
        trace_id=_trace_id(item.trace_id) if item.trace_id else b"",
        span_id=_span_id(item.span_id) if item.span_id else b"",
        flags=item.trace_flags,
        event_name=item.event_name or "",
    )


def _metric(snapshot: Snapshot, start_time_ns: int, time_ns: int) -> Metric:
    metric = snapshot.metric
    message = Metric(name=metric.name, description=metric.help, unit=metric.unit)
    if metric.kind is Kind.HISTOGRAM:
        message.histogram.CopyFrom(
            Histogram(
                aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE,
                data_points=[
                    HistogramDataPoint(
                        attributes=_labels(snapshot, point.labels),
                        start_time_unix_nano=start_time_ns,
                        time_unix_nano=time_ns,
                        count=sum(point.counts),
                        sum=point.sum,
                        bucket_counts=point.counts,
                        explicit_bounds=metric.buckets,
                        exemplars=[_exemplar(exemplar) for exemplar in point.exemplars],
                    )
                    for point in snapshot.histograms
                ],
            )
        )
        return message
    points = [
        NumberDataPoint(
            attributes=_labels(snapshot, point.labels), start_time_unix_nano=start_time_ns, time_unix_nano=time_ns, as_double=point.value
        )
        for point in snapshot.numbers
    ]
    if metric.kind in (Kind.COUNTER, Kind.UP_DOWN_COUNTER):
        message.sum.CopyFrom(
            Sum(aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE, is_monotonic=metric.kind is Kind.COUNTER, data_points=points)
        )
    else:
        message.gauge.CopyFrom(Gauge(data_points=points))
    return message


def _labels(snapshot: Snapshot, values: LabelValues) -> list[KeyValue]:
    if values is OVERFLOW:
        return [KeyValue(key="otel.metric.overflow", value=AnyValue(bool_value=True))]
    pairs = zip(snapshot.metric.labels, values, strict=True)
    return [KeyValue(key=label.name, value=_any(value)) for label, value in pairs if value is not None]


def _exemplar(exemplar: Exemplar) -> ExemplarMessage:
    return ExemplarMessage(
        as_double=exemplar.value, time_unix_nano=exemplar.time_ns, trace_id=_trace_id(exemplar.trace_id), span_id=_span_id(exemplar.span_id)
    )
