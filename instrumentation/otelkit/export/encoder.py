"""Metrics as an OTLP protobuf request. They are few and leave every 15 s, so protobuf's own objects are fast enough.

Source: opentelemetry-proto, the message ExportMetricsServiceRequest. Spans are in :mod:`.spans`, log records in :mod:`.records`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
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

import otelkit
from otelkit.catalog.metrics import Kind
from otelkit.export.attributes import encode_attributes
from otelkit.export.values import utf8
from otelkit.export.wire import DELIMITED, tag
from otelkit.metrics.aggregator import OVERFLOW, Exemplar, LabelValues, Snapshot

_RESOURCE_ATTRIBUTES = tag(1, DELIMITED)
_KIT_SCOPE = InstrumentationScope(name="otelkit", version=otelkit.__version__)


def encode_metrics(resource: Mapping[str, Any], snapshots: Sequence[Snapshot], start_time_ns: int, time_ns: int) -> bytes:
    """An ExportMetricsServiceRequest with cumulative temporality, as Prometheus wants it."""
    metrics = [_metric(snapshot, start_time_ns, time_ns) for snapshot in snapshots]
    scope = ScopeMetrics(scope=_KIT_SCOPE, metrics=metrics)
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=_resource(resource), scope_metrics=[scope])]
    ).SerializeToString()


def _resource(attributes: Mapping[str, Any]) -> Resource:
    return Resource.FromString(encode_attributes(attributes, _RESOURCE_ATTRIBUTES))


def _label(value: str | int) -> AnyValue:
    # Label values are bounded and clean when they are recorded; a route is not to be read as prose.
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=_text(value))


def _text(text: str) -> str:
    return utf8(text).decode()


def _trace_id(value: int) -> bytes:
    return value.to_bytes(16, "big")


def _span_id(value: int) -> bytes:
    return value.to_bytes(8, "big")


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
    return [KeyValue(key=label.name, value=_label(value)) for label, value in pairs if value is not None]


def _exemplar(exemplar: Exemplar) -> ExemplarMessage:
    return ExemplarMessage(
        as_double=exemplar.value, time_unix_nano=exemplar.time_ns, trace_id=_trace_id(exemplar.trace_id), span_id=_span_id(exemplar.span_id)
    )
