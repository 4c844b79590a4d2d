"""Upstream's instrumentation, in a process of its own: prints what it said about each request as one JSON object.

``OTEL_SEMCONV_STABILITY_OPT_IN=http,database`` must be in the environment before the first import, and upstream's middleware keeps its
state on the class: hence the process.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.conformance.exchanges import EXCHANGES, Exchange, ask
from tests.conformance.observation import ACTIVE, DURATION, Facts, facts


def observe(exchange: Exchange, exporter: InMemorySpanExporter) -> Facts:
    """Facts about one request. The instrumentor is put in and taken out again, so that no request inherits another's metrics."""
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    exporter.clear()
    instrumentor = DjangoInstrumentor()
    instrumentor.instrument(tracer_provider=trace.get_tracer_provider(), meter_provider=meters)
    try:
        ask(exchange)
    finally:
        instrumentor.uninstrument()
    points = _points(reader)
    active = sum(point.value for point in points.get(ACTIVE, []))
    return facts(
        exchange, [_span(span) for span in exporter.get_finished_spans()], [_duration(point) for point in points.get(DURATION, [])], active
    )


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "kind": span.kind.name,
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_span_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "duration_s": ((span.end_time or 0) - (span.start_time or 0)) / 1e9,
        "status": span.status.status_code.name,
        "status_message": span.status.description or "",
        "attributes": dict(span.attributes or {}),
        "events": [{"name": event.name} for event in span.events],
    }


def _points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data = reader.get_metrics_data()
    return {
        metric.name: list(metric.data.data_points)
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def _duration(point: HistogramDataPoint) -> dict[str, Any]:
    return {"attributes": dict(point.attributes or {}), "count": point.count, "sum": point.sum, "bounds": point.explicit_bounds}


def main() -> None:
    """Every request of the table, in its order."""
    # As most projects have it: upstream's package for Django does not ask for the one for ASGI, and goes on in silence without.
    sys.modules["opentelemetry.instrumentation.asgi"] = None  # type: ignore[assignment]  # how Python spells "not installed"
    django.setup()
    exporter = InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracers)
    json.dump({exchange.name: observe(exchange, exporter) for exchange in EXCHANGES}, sys.stdout)


if __name__ == "__main__":
    main()
