"""For tests, yours and ours: run the kit without a network and read back what it would have sent.

    with capture() as telemetry:
        client.get("/orders/1")
    assert telemetry.span("GET /orders/{pk}")["attributes"]["http.response.status_code"] == 200

What comes back was encoded as OTLP and decoded again, so it is what a receiver gets.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otelkit import startup
from otelkit.config import load
from otelkit.errors import OtelkitError
from otelkit.export.sender import Answer, Verdict
from otelkit.testing_queries import QueryAssertions

FLUSH_SECONDS = 5.0

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")


class MemorySender:
    """A receiver in memory: takes every request, and decodes it when asked."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:  # noqa: ARG002  (memory is never late)
        """Keeps the body."""
        with self._lock:
            self.bodies.append((signal, body))
        return Answer(Verdict.DELIVERED)

    def of(self, signal: str) -> list[bytes]:
        """The bodies of one signal, in order."""
        with self._lock:
            return [body for name, body in self.bodies if name == signal]


class Telemetry(QueryAssertions):
    """What the kit has sent so far. Each property flushes first."""

    def __init__(self, runtime: startup.Runtime, sender: MemorySender) -> None:
        self.runtime = runtime
        self._sender = sender

    def flush(self) -> None:
        """Waits until everything recorded so far has been sent. Raises OtelkitError when that takes too long."""
        if not self.runtime.exporter.flush(FLUSH_SECONDS):
            raise OtelkitError(f"The exporter did not flush within {FLUSH_SECONDS:g} s.")

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Spans in the order they ended, as dicts: name, kind, trace_id, span_id, parent_span_id, status, attributes, events, ..."""
        self.flush()
        found: list[dict[str, Any]] = []
        for body in self._sender.of("traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found.extend(_span(span, scope.scope.name, _plain(resource.resource.attributes)) for span in scope.spans)
        return found

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Log records that were exported over OTLP, as dicts: body, severity, event_name, trace_id, span_id, attributes."""
        self.flush()
        found: list[dict[str, Any]] = []
        for body in self._sender.of("logs"):
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
                for scope in resource.scope_logs:
                    found.extend(_log(record, scope.scope.name) for record in scope.log_records)
        return found

    @property
    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """The newest value of each metric: name -> points.

        Each has attributes and value, or count, sum, bounds, buckets and all exemplars so far.
        """
        self.flush()
        found: dict[str, list[dict[str, Any]]] = {}
        exemplars: dict[tuple[str, str], list[Any]] = {}
        for body in self._sender.of("metrics"):
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

    def span(self, name: str) -> dict[str, Any]:
        """The one span of this name. Raises AssertionError, listing what there is, unless there is exactly one."""
        spans = self.spans
        named = [span for span in spans if span["name"] == name]
        assert len(named) == 1, f"{len(named)} spans are named {name!r}; there are {[span['name'] for span in spans]}"
        return named[0]

    def point(self, metric: str, **attributes: Any) -> dict[str, Any]:
        """The one point of a metric with these attributes (dots as underscores). Raises AssertionError unless there is exactly one."""
        points = self.metrics.get(metric, [])
        wanted = attributes.items()
        fitting = [
            point for point in points if wanted <= {key.replace(".", "_"): value for key, value in point["attributes"].items()}.items()
        ]
        assert len(fitting) == 1, (
            f"{len(fitting)} points of {metric} fit {attributes}; there are {[point['attributes'] for point in points]}"
        )
        return fitting[0]


@contextmanager
def capture(settings: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Iterator[Telemetry]:
    """Runs the kit with these ``OTELKIT`` settings and keeps what it sends; stops it again at the end.

    The environment is ignored unless ``environ`` is given. Raises OtelkitError when the kit runs already.
    """
    if startup.current() is not None:
        raise OtelkitError("otelkit runs already in this process; call otelkit.startup.stop() before capture().")
    sender = MemorySender()
    runtime = startup.start(load(settings or {}, environ or {}), sender=sender)
    if runtime is None:
        raise OtelkitError("otelkit is switched off by these settings, so there is nothing to capture.")
    try:
        yield Telemetry(runtime, sender)
    finally:
        startup.stop()


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
