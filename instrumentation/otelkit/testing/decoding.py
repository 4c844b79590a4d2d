"""OTLP requests as plain dicts, in the shape that :mod:`otelkit.testing` hands out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")


def decode_spans(bodies: Iterable[bytes]) -> list[dict[str, Any]]:
    """Every span of these trace requests, in their order."""
    return [
        _span(span, scope.scope.name, _plain(resource.resource.attributes))
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def decode_logs(bodies: Iterable[bytes]) -> list[dict[str, Any]]:
    """Every record of these log requests, in their order."""
    return [
        _log(record, scope.scope.name)
        for body in bodies
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def decode_metrics(bodies: Iterable[bytes]) -> dict[str, list[dict[str, Any]]]:
    """The newest points of each metric in these requests, with all exemplars so far."""
    found: dict[str, list[dict[str, Any]]] = {}
    exemplars: dict[tuple[str, str], list[Any]] = {}
    for body in bodies:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points = [_point(point) for point in getattr(metric, str(metric.WhichOneof("data"))).data_points]
                    for point in points:
                        known = exemplars.setdefault((metric.name, str(point["attributes"])), [])
                        known.extend(point.get("exemplars", ()))  # each is exported once
                        if "exemplars" in point:
                            point["exemplars"] = known
                    found[metric.name] = points
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _plain(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def _plain(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs if isinstance(pair, KeyValue)}


def _span(span: Any, scope: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": _KINDS[span.kind],
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "start_ns": span.start_time_unix_nano,
        "end_ns": span.end_time_unix_nano,
        "duration_s": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        "status": _STATUSES[span.status.code],
        "status_message": span.status.message,
        "attributes": _plain(span.attributes),
        "events": [{"name": event.name, "attributes": _plain(event.attributes)} for event in span.events],
        "links": [link.trace_id.hex() for link in span.links],
        "scope": scope,
        "resource": resource,
    }


def _log(record: Any, logger: str) -> dict[str, Any]:
    return {
        "time_ns": record.time_unix_nano,
        "severity": record.severity_text,
        "body": record.body.string_value,
        "event_name": record.event_name or None,
        "trace_id": record.trace_id.hex() or None,
        "span_id": record.span_id.hex() or None,
        "logger": logger,
        "attributes": _plain(record.attributes),
    }


def _point(point: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"attributes": _plain(point.attributes)}
    if hasattr(point, "bucket_counts"):
        exemplars = [{"trace_id": item.trace_id.hex(), "span_id": item.span_id.hex(), "value": item.as_double} for item in point.exemplars]
        return {
            **found,
            "count": point.count,
            "sum": point.sum,
            "bounds": list(point.explicit_bounds),
            "buckets": list(point.bucket_counts),
            "exemplars": exemplars,
        }
    if hasattr(point, "zero_count"):  # an exponential histogram, which a view of the project asks for
        return {**found, "count": point.count, "sum": point.sum, "scale": point.scale}
    return {**found, "value": getattr(point, point.WhichOneof("value") or "as_double")}
