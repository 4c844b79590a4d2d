"""Snapshots as families of prometheus-client, which writes the text.

A family may hold what several workers report; its name comes once, as the format asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Exemplar as FamilyExemplar
from prometheus_client.utils import floatToGoString

from otelkit.catalog.labels import PROMOTED
from otelkit.catalog.metrics import TARGET_INFO, Kind, Metric
from otelkit.catalog.naming import family_name, label_name
from otelkit.metrics.aggregator import OVERFLOW, HistogramPoint, LabelValues, Snapshot

Reported = tuple[Mapping[str, str], Sequence[Snapshot]]
"""What one worker reports: the labels of its resource, and its metrics."""


def resource_labels(resource: Mapping[str, str | int]) -> dict[str, str]:
    """The labels that every series of a worker carries. Over OTLP Prometheus adds them; a scrape must carry them itself."""
    return {label_name(label): str(resource[label.name]) for label in PROMOTED if label.name in resource}


def families(workers: Iterable[Reported], alive: Iterable[Mapping[str, str]]) -> Iterator[Family]:
    """One family per metric, and ``target_info`` with a series per worker that is ``alive``."""
    info = GaugeMetricFamily(family_name(TARGET_INFO), TARGET_INFO.help)
    for resource in alive:
        info.add_sample(info.name, dict(resource), 1)
    yield info
    found: dict[str, tuple[Metric, Family]] = {}
    for resource, snapshots in workers:
        for snapshot in snapshots:
            name = family_name(snapshot.metric)
            first, family = found.setdefault(name, (snapshot.metric, _family(name, snapshot.metric)))
            # Two metrics that are one name in Prometheus (the project's and ours) would make the whole page invalid: the first counts.
            if (first.name, first.kind, first.buckets) == (snapshot.metric.name, snapshot.metric.kind, snapshot.metric.buckets):
                _add(family, snapshot, resource)
    for _, family in found.values():
        yield family


def _family(name: str, metric: Metric) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        return HistogramMetricFamily(name, metric.help)
    return CounterMetricFamily(name, metric.help) if metric.kind is Kind.COUNTER else GaugeMetricFamily(name, metric.help)


def _add(family: Family, snapshot: Snapshot, resource: Mapping[str, str]) -> None:
    metric = snapshot.metric
    names = [label_name(label) for label in metric.labels]
    for point in snapshot.histograms:
        _add_histogram(family, metric.buckets, point, {**_labels(names, point.labels), **resource})
    sample = f"{family.name}_total" if metric.kind is Kind.COUNTER else family.name
    for number in snapshot.numbers:
        family.add_sample(sample, {**_labels(names, number.labels), **resource}, number.value)


def _labels(names: list[str], values: LabelValues) -> dict[str, str]:
    if values is OVERFLOW:
        return {"otel_metric_overflow": "true"}
    return {name: _text(value) for name, value in zip(names, values, strict=True) if value is not None}


def _bound_text(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _add_histogram(family: Family, bounds: tuple[float, ...], point: HistogramPoint, labels: dict[str, str]) -> None:
    exemplars = {next((bound for bound in bounds if exemplar.value <= bound), float("inf")): exemplar for exemplar in point.exemplars}
    below = 0
    for bound, count in zip((*bounds, float("inf")), point.counts, strict=True):
        below += count
        found = exemplars.get(bound)
        shown = found and FamilyExemplar(
            {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}, found.value, found.time_ns / 1e9
        )
        family.add_sample(f"{family.name}_bucket", {**labels, "le": _bound_text(bound)}, below, exemplar=shown)
    family.add_sample(f"{family.name}_count", labels, below)
    family.add_sample(f"{family.name}_sum", labels, point.sum)
