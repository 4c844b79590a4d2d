"""Metrics made from spans on their way: by the Collector's ``span_metrics`` connector, or by the embedded stack.

One of the two makes them, never both, and under the same names: those of the connector in version 0.155 with seconds as its unit.
``compose/collector/config.yaml`` says the same to the connector; a test compares them.
"""

from __future__ import annotations

CALLS = "traces_span_metrics_calls_total"
"""Spans that ended."""
DURATION = "traces_span_metrics_duration_seconds"
"""How long they took: ``_bucket``, ``_sum`` and ``_count``."""

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

SPAN_NAME, SPAN_KIND, STATUS_CODE = "span_name", "span_kind", "status_code"
"""Labels of each series: the span's name, ``SPAN_KIND_SERVER`` and the like, ``STATUS_CODE_ERROR`` and the like."""

DIMENSIONS = (
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "messaging.destination.name",
    "service.peer.name",
    "db.system.name",
    "db.namespace",
)
"""Attributes of the span that become labels where they are there."""

RESOURCE_KEYS = ("service.name", "service.namespace", "deployment.environment.name")
"""Attributes of the resource that tell series apart: a worker's instance is not among them."""

CARRIED_RESOURCE_KEYS = ("service.criticality",)
"""Attributes of the resource that are labels too, and the same for all instances of a service."""

MOST_SERIES = 5000
"""Beyond it, what is new shares one series for each service, with the label ``otel_metric_overflow="true"``."""

EXPIRES_AFTER_S = 900.0
"""A series that got no span for so long ends, and begins again at zero."""

EXEMPLARS_PER_POINT = 5
INTERVAL_S = 15.0
