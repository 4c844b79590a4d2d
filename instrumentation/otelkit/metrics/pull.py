"""``/metrics`` for Prometheus to scrape, rendered by prometheus-client.

    path("metrics", otelkit.metrics.pull.metrics)

Names and labels are those that the OTLP road gives, so the same boards and rules serve both.
It shows the process that answers: behind several workers prefer OTLP, where each worker reports itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as FamilyExemplar
from prometheus_client.utils import floatToGoString

from otelkit.catalog.labels import PROMOTED
from otelkit.catalog.metrics import TARGET_INFO, Kind
from otelkit.catalog.naming import family_name, label_name
from otelkit.metrics.aggregator import OVERFLOW, Aggregator, HistogramPoint, LabelValues, Snapshot


def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in prometheus-client's registry, ours and the project's own, in the format that the scraper asks for."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(REGISTRY), content_type=content_type)


class PullCollector(Collector):
    """Our aggregator as prometheus-client sees it."""

    def __init__(self, aggregator: Aggregator, resource: Mapping[str, str | int]) -> None:
        self._aggregator = aggregator
        self._resource = resource

    def collect(self) -> Iterator[Family]:
        """One family per metric that has a value."""
        # Over OTLP Prometheus promotes these attributes to labels; a scrape must carry them itself. Read now: after a fork they are others.
        resource = {label_name(label): str(self._resource[label.name]) for label in PROMOTED if label.name in self._resource}
        info = GaugeMetricFamily(family_name(TARGET_INFO), TARGET_INFO.help)
        info.add_sample(info.name, resource, 1)
        yield info
        for snapshot in self._aggregator.collect():
            yield _family(snapshot, resource)

    def describe(self) -> Iterable[Family]:
        """Nothing: names are known to be unique, and collecting at registration would read a half-started process."""
        return []


def _family(snapshot: Snapshot, resource: dict[str, str]) -> Family:
    metric = snapshot.metric
    name = family_name(metric)
    names = [label_name(label) for label in metric.labels]
    family: Family
    if metric.kind is Kind.HISTOGRAM:
        family = HistogramMetricFamily(name, metric.help)
        for point in snapshot.histograms:
            _add_histogram(family, metric.buckets, point, {**resource, **_labels(names, point.labels)})
    elif metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(name, metric.help)
        for number in snapshot.numbers:
            family.add_sample(f"{name}_total", {**resource, **_labels(names, number.labels)}, number.value)
    else:
        family = GaugeMetricFamily(name, metric.help)
        for number in snapshot.numbers:
            family.add_sample(name, {**resource, **_labels(names, number.labels)}, number.value)
    return family


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
