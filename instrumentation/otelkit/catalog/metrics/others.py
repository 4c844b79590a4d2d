"""Series that no service sends: made by Prometheus, and by the Collector from spans. Boards and rules may read them."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

TARGET_INFO = Metric(
    "target",
    Kind.INFO,
    "",
    "One series per worker, made by Prometheus from the resource of whatever it receives over OTLP: who is alive.",
)
ALERTS = Metric(
    "ALERTS",
    Kind.GAUGE,
    "",
    "One series per alert that waits or fires, made by Prometheus from the alerting rules it evaluates.",
    (l.ALERTNAME, l.ALERTSTATE, l.SEVERITY),
)

_DIMENSIONS = (
    l.SPAN_NAME,
    l.SPAN_KIND,
    l.STATUS_CODE,
    l.HTTP_REQUEST_METHOD,
    l.HTTP_ROUTE,
    l.HTTP_RESPONSE_STATUS_CODE,
    l.MESSAGING_DESTINATION_NAME,
    l.SERVICE_PEER_NAME,
    l.DB_SYSTEM_NAME,
    l.DB_NAMESPACE,
)
TRACES_SPAN_METRICS_CALLS = Metric(
    "traces.span.metrics.calls",
    Kind.COUNTER,
    "",
    "Spans, counted by the Collector (its span_metrics connector) before it samples: calls of every kind, between all services.",
    _DIMENSIONS,
)
TRACES_SPAN_METRICS_DURATION = Metric(
    "traces.span.metrics.duration",
    Kind.HISTOGRAM,
    "s",
    "Duration of spans, measured there too.",
    _DIMENSIONS,
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
