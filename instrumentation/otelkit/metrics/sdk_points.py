"""Values that others have counted, as the OpenTelemetry SDK would hand them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import time_ns

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otelkit.catalog.metrics import Kind
from otelkit.catalog.metrics import Metric as Fact
from otelkit.catalog.naming import series_name

_STARTED = time_ns()


@dataclass(frozen=True, slots=True)
class Numbers:
    """A counter or a gauge, under the whole name of its series in Prometheus."""

    series: str
    help: str
    points: list[tuple[dict[str, str], float]]
    counts: bool


@dataclass(frozen=True, slots=True)
class Histograms:
    """A histogram; counts are per bucket, the last above all bounds."""

    name: str
    help: str
    bounds: tuple[float, ...]
    points: list[tuple[dict[str, str], tuple[int, ...], float]]


def scope_of(name: str, found: Iterable[Numbers | Histograms]) -> Sequence[ScopeMetrics]:
    """One scope with all of them; none where there are none."""
    made = [_histogram(each) if isinstance(each, Histograms) else _numbers(each) for each in found]
    return [ScopeMetrics(InstrumentationScope(name), made, "")] if made else ()


def _numbers(found: Numbers) -> Metric:
    now = time_ns()
    points = [NumberDataPoint(dict(labels), _STARTED, now, value) for labels, value in found.points]
    if not found.counts:
        return Metric(found.series, found.help, "", Gauge(points))
    base = found.series.removesuffix("_total")
    # Prometheus puts `total` last in the name of a counter, and takes it out from within. A name that has it there would not arrive as
    # boards know it, unless it is told to be no counter; rate() does not ask.
    keeps_its_name = series_name(Fact(base, Kind.COUNTER, "", found.help)) == found.series
    return Metric(
        base if keeps_its_name else found.series,
        found.help,
        "",
        Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=keeps_its_name),
    )


def _histogram(found: Histograms) -> Metric:
    now = time_ns()
    points = [
        HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=_STARTED,
            time_unix_nano=now,
            count=sum(counts),
            sum=total,
            bucket_counts=counts,
            explicit_bounds=found.bounds,
            min=None,  # type: ignore[arg-type]  # not known, and optional in the protocol
            max=None,  # type: ignore[arg-type]
        )
        for labels, counts, total in found.points
    ]
    return Metric(found.name, found.help, "", Histogram(points, AggregationTemporality.CUMULATIVE))
