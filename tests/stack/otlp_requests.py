"""OTLP requests as services make them, in each of the encodings that OTLP/HTTP has."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

import httpx
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SERVICE = {
    "service.name": "orders",
    "service.namespace": "shop",
    "service.version": "1.2.3",
    "service.instance.id": "laptop:0",
    "process.pid": 4711,
}
SCOPE = InstrumentationScope(name="otelkit", version="0.1")

_PATHS = {
    ExportTraceServiceRequest: "/v1/traces",
    ExportMetricsServiceRequest: "/v1/metrics",
    ExportLogsServiceRequest: "/v1/logs",
}


def any_value(value: object) -> AnyValue:
    """The value in OTLP's clothes."""
    match value:
        case str():
            return AnyValue(string_value=value)
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(any_value, value)))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
        case _:
            return AnyValue()


def key_values(attributes: dict[str, Any]) -> list[KeyValue]:
    """Attributes in OTLP's clothes."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    span_id: str,
    name: str = "GET /orders/{pk}",
    *,
    parent: str = "",
    trace_id: str = TRACE_ID,
    kind: int = Span.SPAN_KIND_SERVER,
    start_ns: int | None = None,
    duration_s: float = 0.25,
    error: str | None = None,
    **attributes: object,
) -> Span:
    """A span; ids in hex, underscores of attribute names standing for dots."""
    start = time.time_ns() if start_ns is None else start_ns
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        parent_span_id=bytes.fromhex(parent),
        name=name,
        kind=kind,  # type: ignore[arg-type]
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(duration_s * 1e9),
        status=Status() if error is None else Status(code=Status.STATUS_CODE_ERROR, message=error),
        attributes=key_values({name.replace("__", "."): value for name, value in attributes.items()}),
    )


def traces(*spans: Span, resource: dict[str, Any] | None = None) -> ExportTraceServiceRequest:
    """One resource's spans."""
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=key_values(SERVICE if resource is None else resource)),
                scope_spans=[ScopeSpans(scope=SCOPE, spans=spans)],
            )
        ]
    )


def logs(*records: LogRecord, resource: dict[str, Any] | None = None) -> ExportLogsServiceRequest:
    """One resource's log records."""
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=key_values(SERVICE if resource is None else resource)),
                scope_logs=[ScopeLogs(scope=SCOPE, log_records=records)],
            )
        ]
    )


def metrics(*data: Metric, resource: dict[str, Any] | None = None) -> ExportMetricsServiceRequest:
    """One resource's metrics."""
    return ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(
                resource=Resource(attributes=key_values(SERVICE if resource is None else resource)),
                scope_metrics=[ScopeMetrics(scope=SCOPE, metrics=data)],
            )
        ]
    )


def as_otlp_json(message: Message) -> bytes:
    """The request as OTLP's JSON: camelCase, 64-bit numbers as strings, ids in hex."""
    fields = json_format.MessageToDict(message, use_integers_for_enums=True)

    def with_hex_ids(item: Any) -> Any:
        if isinstance(item, dict):
            return {
                key: base64.b64decode(value).hex() if key in ("traceId", "spanId", "parentSpanId") else with_hex_ids(value)
                for key, value in item.items()
            }
        return [with_hex_ids(value) for value in item] if isinstance(item, list) else item

    return json.dumps(with_hex_ids(fields)).encode()


def post(url: str, message: Message, content_type: str = PROTOBUF, *, packed: bool = False) -> httpx.Response:
    """Send a request to a stack as an exporter would."""
    body = message.SerializeToString() if content_type == PROTOBUF else as_otlp_json(message)
    headers = {"Content-Type": content_type} | ({"Content-Encoding": "gzip"} if packed else {})
    # Without `verify` the client would read the system's certificates first, which takes longer than the request.
    return httpx.post(url + _PATHS[type(message)], content=gzip.compress(body) if packed else body, headers=headers, verify=False)  # type: ignore[index]
