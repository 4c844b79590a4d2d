"""Metrics of the OpenTelemetry SDK as snapshots, for the pull road.

The label names of such a metric are those that any of its points has. What a scrape cannot show is left out: exponential histograms, and
histograms without bounds; over OTLP they are sent as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from opentelemetry.sdk.metrics import Exemplar as SdkExemplar
from opentelemetry.sdk.metrics.export import Gauge, Histogram, HistogramDataPoint, NumberDataPoint, ScopeMetrics, Sum
from opentelemetry.sdk.metrics.export import Metric as SdkMetric

from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import Kind, Metric
from otelkit.metrics.aggregator import OVERFLOW, Exemplar, HistogramPoint, LabelValues, NumberPoint, Snapshot
from otelkit.metrics.user_instruments import OVERFLOW_ATTRIBUTE
from otelkit.redaction import redact_text, redact_value


def snapshots_of(scopes: Sequence[ScopeMetrics]) -> list[Snapshot]:
    """One snapshot per metric that a scrape can show; of two scopes with a metric of one name, the first."""
    found: dict[str, Snapshot] = {}
    for scope in scopes:
        for metric in scope.metrics:
            snapshot = None if metric.name in found else _snapshot(metric)
            if snapshot is not None:
                found[metric.name] = snapshot
    return list(found.values())


def _snapshot(metric: SdkMetric) -> Snapshot | None:
    data = metric.data
    if not isinstance(data, Sum | Gauge | Histogram) or not data.data_points:
        return None
    names = sorted({name for point in data.data_points for name in point.attributes or {}} - {OVERFLOW_ATTRIBUTE})
    labels = tuple(Label(name, "") for name in names)
    text = metric.description or f"Recorded by the project as {metric.name}."
    try:
        if isinstance(data, Histogram):
            bounds = tuple(map(float, data.data_points[0].explicit_bounds))
            described = Metric(metric.name, Kind.HISTOGRAM, _unit(metric.unit), text, labels, bounds)
            return Snapshot(described, histograms=tuple(_histogram(names, point) for point in data.data_points))
        kind = Kind.GAUGE if isinstance(data, Gauge) else Kind.COUNTER if data.is_monotonic else Kind.UP_DOWN_COUNTER
        # Prometheus calls a gauge of unit 1 a ratio, and nothing else (otlptranslator).
        name = f"{metric.name}.ratio" if metric.unit == "1" and kind is Kind.GAUGE else metric.name
        return Snapshot(Metric(name, kind, _unit(metric.unit), text, labels), tuple(_number(names, point) for point in data.data_points))
    except ValueError:  # bounds that do not rise, or none
        return None


def _unit(unit: str | None) -> str:
    return "" if unit in (None, "1") else str(unit)


def _number(names: Sequence[str], point: NumberDataPoint) -> NumberPoint:
    return NumberPoint(_labels(names, point), point.value)


def _histogram(names: Sequence[str], point: HistogramDataPoint) -> HistogramPoint:
    return HistogramPoint(_labels(names, point), tuple(point.bucket_counts), point.sum, tuple(_exemplars(point.exemplars)))


def _labels(names: Sequence[str], point: NumberDataPoint | HistogramDataPoint) -> LabelValues:
    attributes = point.attributes or {}
    if attributes.get(OVERFLOW_ATTRIBUTE) is True:
        return OVERFLOW
    return tuple(_text(redact_value(name, attributes.get(name))) for name in names)


def _text(value: Any) -> str | int | bool | None:
    if value is None or isinstance(value, bool | int):
        return value
    return redact_text(str(value))


def _exemplars(exemplars: Iterable[SdkExemplar]) -> Iterable[Exemplar]:
    # Prometheus allows one for each bucket, of a trace; the SDK may hold others.
    return (
        Exemplar(float(exemplar.value), exemplar.time_unix_nano, exemplar.trace_id, exemplar.span_id)
        for exemplar in exemplars
        if exemplar.trace_id and exemplar.span_id
    )
