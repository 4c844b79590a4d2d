"""Metrics of the OpenTelemetry SDK as OTLP protobuf.

Requests are concatenated to one by writing them behind one another: protobuf adds repeated fields up. Source: opentelemetry-proto,
``metrics.proto``; compared with the SDK's own encoder in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import ExponentialHistogram, Gauge, Histogram, Metric, NumberDataPoint, ScopeMetrics, Sum

from otelkit.export.values import ATTRIBUTE_TEXT_LIMIT
from otelkit.redaction import redact_text, redact_value
from otelkit.safe_text import safe_text

_INT64 = range(-(2**63), 2**63)


def count_points(scopes: Sequence[ScopeMetrics]) -> int:
    """Number of series."""
    return sum(len(metric.data.data_points) for scope in scopes for metric in scope.metrics)


def encode_user_metrics(resource: Mapping[str, Any], scopes: Sequence[ScopeMetrics]) -> bytes:
    """An ExportMetricsServiceRequest, nothing where there is nothing; attributes are redacted as those of spans are."""
    if not scopes:
        return b""
    messages = [
        pb.ScopeMetrics(
            scope=InstrumentationScope(
                name=scope.scope.name,
                version=scope.scope.version or "",
                attributes=_attributes(scope.scope.attributes),
            ),
            schema_url=scope.schema_url or "",
            metrics=[_metric(metric) for metric in scope.metrics],
        )
        for scope in scopes
    ]
    return ExportMetricsServiceRequest(
        resource_metrics=[pb.ResourceMetrics(resource=Resource(attributes=_attributes(resource)), scope_metrics=messages)]
    ).SerializeToString()


def _metric(metric: Metric) -> pb.Metric:
    message = pb.Metric(name=metric.name, description=metric.description or "", unit=metric.unit or "")
    data = metric.data
    if isinstance(data, Sum):
        message.sum.is_monotonic = data.is_monotonic
        message.sum.aggregation_temporality = int(data.aggregation_temporality)  # type: ignore[assignment]  # on the wire an int
        message.sum.data_points.extend(map(_number, data.data_points))
    elif isinstance(data, Gauge):
        message.gauge.data_points.extend(map(_number, data.data_points))
    elif isinstance(data, Histogram):
        message.histogram.aggregation_temporality = int(data.aggregation_temporality)  # type: ignore[assignment]
        message.histogram.data_points.extend(
            pb.HistogramDataPoint(
                **_common(point),
                count=point.count,
                sum=point.sum,
                min=point.min,
                max=point.max,
                bucket_counts=point.bucket_counts,
                explicit_bounds=point.explicit_bounds,
            )
            for point in data.data_points
        )
    elif isinstance(data, ExponentialHistogram):
        message.exponential_histogram.aggregation_temporality = int(data.aggregation_temporality)  # type: ignore[assignment]
        message.exponential_histogram.data_points.extend(
            pb.ExponentialHistogramDataPoint(
                **_common(point),
                count=point.count,
                sum=point.sum,
                min=point.min,
                max=point.max,
                scale=point.scale,
                zero_count=point.zero_count,
                positive=pb.ExponentialHistogramDataPoint.Buckets(offset=point.positive.offset, bucket_counts=point.positive.bucket_counts),
                negative=pb.ExponentialHistogramDataPoint.Buckets(offset=point.negative.offset, bucket_counts=point.negative.bucket_counts),
                flags=point.flags,
            )
            for point in data.data_points
        )
    return message


def _number(point: NumberDataPoint) -> pb.NumberDataPoint:
    value = {"as_int": int(point.value)} if _is_int64(point.value) else {"as_double": float(point.value)}
    return pb.NumberDataPoint(**_common(point), **value)


def _common(point: Any) -> dict[str, Any]:
    return {
        "attributes": _attributes(point.attributes),
        "start_time_unix_nano": point.start_time_unix_nano or 0,
        "time_unix_nano": point.time_unix_nano,
        "exemplars": [_exemplar(exemplar) for exemplar in point.exemplars],
    }


def _exemplar(exemplar: Exemplar) -> pb.Exemplar:
    message = pb.Exemplar(
        time_unix_nano=exemplar.time_unix_nano,
        filtered_attributes=_attributes(exemplar.filtered_attributes),
    )
    if _is_int64(exemplar.value):
        message.as_int = int(exemplar.value)
    else:
        message.as_double = exemplar.value
    if exemplar.trace_id and exemplar.span_id:
        message.trace_id = exemplar.trace_id.to_bytes(16, "big")
        message.span_id = exemplar.span_id.to_bytes(8, "big")
    return message


def _is_int64(value: Any) -> bool:
    # By its index: of a subclass, like an IntEnum, a range would compare each of its members.
    return isinstance(value, int) and int.__index__(value) in _INT64


def _attributes(attributes: Mapping[str, Any] | None) -> list[KeyValue]:
    return [KeyValue(key=_text(key), value=_value(redact_value(key, value))) for key, value in (attributes or {}).items()]


def _value(value: Any, depth: int = 4) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=_text(redact_text(value)))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if _is_int64(value):
        return AnyValue(int_value=int.__index__(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value[:ATTRIBUTE_TEXT_LIMIT])
    if isinstance(value, Mapping) and depth:
        pairs = [
            KeyValue(key=_text(safe_text(key)), value=_value(redact_value(safe_text(key), item), depth - 1)) for key, item in value.items()
        ]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    if isinstance(value, Sequence) and depth:
        return AnyValue(array_value=ArrayValue(values=[_value(item, depth - 1) for item in value]))
    return AnyValue() if value is None else AnyValue(string_value=_text(safe_text(value)))


def _text(text: str) -> str:
    # Half of a surrogate pair cannot be written as UTF-8: protobuf would refuse the whole request.
    return text[:ATTRIBUTE_TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
