"""How metrics are made from spans: by the Collector's ``span_metrics`` connector, or by the embedded stack where there is no Collector.

One of the two makes them, never both, under the names of the connector (0.155) with seconds as its unit. The metrics themselves are in
:mod:`otelkit.catalog.metrics.others`. ``compose/collector/config.yaml`` tells the connector the same; a test compares.
"""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics import TRACES_SPAN_METRICS_CALLS, TRACES_SPAN_METRICS_DURATION
from otelkit.catalog.naming import family_name, series_name

CALLS = series_name(TRACES_SPAN_METRICS_CALLS)
DURATION = family_name(TRACES_SPAN_METRICS_DURATION)
"""Followed by ``_bucket``, ``_sum`` and ``_count``."""

BOUNDS_S = TRACES_SPAN_METRICS_DURATION.buckets

OF_EVERY_SPAN = (l.SPAN_NAME, l.SPAN_KIND, l.STATUS_CODE)
DIMENSIONS = tuple(label.name for label in TRACES_SPAN_METRICS_CALLS.labels if label not in OF_EVERY_SPAN)
"""Attributes of the span that become labels where they are there."""

RESOURCE_KEYS = (l.SERVICE_NAME.name, l.SERVICE_NAMESPACE.name, l.DEPLOYMENT_ENVIRONMENT_NAME.name)
"""Attributes of the resource that tell series apart: a worker's instance is not among them."""

CARRIED_RESOURCE_KEYS = (l.SERVICE_CRITICALITY.name,)
"""Attributes of the resource that are labels too, the same for all instances of a service."""

MOST_SERIES = 5000
"""Beyond it, what is new shares one series for each service, with the label ``otel_metric_overflow="true"``."""

EXPIRES_AFTER_S = 900.0
"""A series that got no span for so long ends, and begins again at zero."""

EXEMPLARS_PER_POINT = 5
INTERVAL_S = 15.0
