"""Metrics of an OTLP request as Prometheus' series, samples and exemplars.

Source: Prometheus 3's OTLP receiver (``storage/remote/otlptranslator/prometheusremotewrite``) with classic histograms,
the promoted attributes of the catalogue and ``keep_identifying_resource_attributes``. Of an exponential histogram it would make a
native one, which the query engine here does not know, so it becomes a classic one whose bounds are powers of two.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from otelkit_stack.prometheus_naming import MetricType, bound_text, label_value, metric_name
from otelkit_stack.receiver.as_sent import Sent, converted, sent
from otelkit_stack.receiver.attributes import attributes_of
from otelkit_stack.receiver.exponential import cumulative_buckets
from otelkit_stack.receiver.known_series import KnownSeries, PointLabels, series_row
from otelkit_stack.receiver.refusals import MAX_NS, Refusals
from otelkit_stack.receiver.series_labels import ResourceLabels, target_info_labels
from otelkit_stack.rows import STALE_NAN, Batch, ExemplarRow, SeriesRow, json_text, stored_float

TARGET_INFO = "target_info"

Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint
_NO_RECORDED_VALUE = int(DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)
_WITHOUT_TEMPORALITY = ("gauge", "summary")


def read_metrics(request: ExportMetricsServiceRequest, known: KnownSeries | None = None) -> tuple[Batch, Refusals]:
    """Rows of the points that can be stored, and which metrics cannot, by name and with the reason.

    ``known`` are the series of earlier requests; it learns those of this one. Raises RefusedError (400) for a broken attribute.
    """
    batch, refusals = Batch(), Refusals()
    known = KnownSeries() if known is None else known
    for of_resource in converted(request).resource_metrics:
        as_bytes = sent(of_resource.resource.attributes)
        attributes = attributes_of(as_bytes)
        reader = _Reader(batch, refusals, ResourceLabels.of(attributes), known, known.of(as_bytes))
        for of_scope in of_resource.scope_metrics:
            for metric in of_scope.metrics:
                reader.read(metric)
        try:
            info = target_info_labels(attributes)
        except ValueError as error:
            refusals.add(f"{TARGET_INFO} was not made: {error}", 0)
            continue
        if info and reader.newest_ns:
            reader.add_sample(series_row(TARGET_INFO, info), reader.newest_ns, 1.0)
    return batch, refusals


@dataclass(slots=True)
class _Reader:
    """Puts the metrics of one resource into the batch."""

    batch: Batch
    refusals: Refusals
    resource: ResourceLabels
    known: KnownSeries
    points: dict[Sent, PointLabels]
    newest_ns: int = 0

    def read(self, metric: Metric) -> None:
        kind = metric.WhichOneof("data")
        title = f'metric "{metric.name[:100]}"'
        if kind is None:
            self.refusals.add(f"{title} has no data", 0)
            return
        points: Sequence[Point] = getattr(metric, kind).data_points
        cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        if kind not in _WITHOUT_TEMPORALITY and getattr(metric, kind).aggregation_temporality != cumulative:
            self.refusals.add(f"{title} is not cumulative, as Prometheus' series are: set the exporter's temporality", len(points))
            return
        try:
            name = metric_name(metric.name, metric.unit, _type_of(metric))
        except ValueError as error:
            self.refusals.add(str(error), len(points))
            return
        read = self._readers[kind]
        for point in points:
            try:
                time_ns = point.time_unix_nano
                if time_ns > MAX_NS:
                    raise ValueError("a point's time must lie before the year 2262")
                attributes = sent(point.attributes)
                labels = self.points.get(attributes)
                if labels is None:
                    labels = self.points[attributes] = self.known.made(attributes, self.resource)
                if time_ns > self.newest_ns:
                    self.newest_ns = time_ns
                read(self, name, labels, point)
            except ValueError as error:
                self.refusals.add(f"{title}: {error}")

    def _read_number(self, name: str, labels: PointLabels, point: NumberDataPoint) -> None:
        # One of the two is set, and the other one 0. In this order, because the first has no zero below zero.
        value = STALE_NAN if _is_absent(point.flags) else float(point.as_int or point.as_double)
        series_id = self.add_sample(labels.series(name), point.time_unix_nano, value)
        if name.endswith("_total") and point.exemplars:  # Prometheus keeps the exemplars of counters and histograms
            self._add_exemplars(series_id, point.exemplars)

    def _read_classic(self, name: str, labels: PointLabels, point: HistogramDataPoint) -> None:
        # The last count is of the bucket above every bound; point.count says the same.
        self._read_histogram(name, labels, point, [*zip(point.explicit_bounds, accumulate(point.bucket_counts), strict=False)])

    def _read_exponential(self, name: str, labels: PointLabels, point: ExponentialHistogramDataPoint) -> None:
        self._read_histogram(name, labels, point, cumulative_buckets(point))

    def _read_summary(self, name: str, labels: PointLabels, point: SummaryDataPoint) -> None:
        absent = _is_absent(point.flags)
        self.add_sample(labels.series(f"{name}_sum"), point.time_unix_nano, STALE_NAN if absent else point.sum)
        self.add_sample(labels.series(f"{name}_count"), point.time_unix_nano, STALE_NAN if absent else float(point.count))
        for value in point.quantile_values:
            with_quantile = labels.series(name, "quantile", bound_text(value.quantile))
            self.add_sample(with_quantile, point.time_unix_nano, STALE_NAN if absent else value.value)

    def _read_histogram(
        self,
        name: str,
        labels: PointLabels,
        point: HistogramDataPoint | ExponentialHistogramDataPoint,
        pairs: Sequence[tuple[float, int]],
    ) -> None:
        absent, time_ns = _is_absent(point.flags), point.time_unix_nano
        if point.HasField("sum"):
            self.add_sample(labels.series(f"{name}_sum"), time_ns, STALE_NAN if absent else point.sum)
        self.add_sample(labels.series(f"{name}_count"), time_ns, STALE_NAN if absent else float(point.count))
        buckets = [(bound_text(bound), count) for bound, count in pairs] + [("+Inf", point.count)]
        series = [
            self.add_sample(labels.series(f"{name}_bucket", "le", le), time_ns, STALE_NAN if absent else float(count))
            for le, count in buckets
        ]
        bounds = [bound for bound, _ in pairs]
        for exemplar in point.exemplars:
            self._add_exemplars(series[bisect_left(bounds, _exemplar_value(exemplar))], [exemplar])

    # By the field of a metric that holds its points, which says what they are.
    _readers: ClassVar[dict[str, Callable[[_Reader, str, PointLabels, Any], None]]] = {
        "gauge": _read_number,
        "sum": _read_number,
        "histogram": _read_classic,
        "exponential_histogram": _read_exponential,
        "summary": _read_summary,
    }

    def add_sample(self, series: SeriesRow, time_ns: int, value: float) -> int:
        """Put one sample and its series into the batch; the series' id."""
        self.batch.series[series.id] = series
        self.batch.samples.add(series.id, time_ns // 1_000_000, value)
        return series.id

    def _add_exemplars(self, series_id: int, exemplars: Iterable[Exemplar]) -> None:
        for exemplar in exemplars:
            # An exemplar is an extra: one that cannot be stored takes nothing from its point.
            if exemplar.time_unix_nano > MAX_NS or exemplar.WhichOneof("value") is None:
                continue
            labels = {name: label_value(value) for name, value in attributes_of(sent(exemplar.filtered_attributes)).items()}
            self.batch.exemplars.append(
                ExemplarRow(
                    series_id=series_id,
                    time_ns=exemplar.time_unix_nano,
                    value=stored_float(_exemplar_value(exemplar)),
                    trace_id=exemplar.trace_id if len(exemplar.trace_id) == 16 else b"",
                    span_id=exemplar.span_id if len(exemplar.span_id) == 8 else b"",
                    labels=json_text(labels),
                )
            )


def _type_of(metric: Metric) -> MetricType:
    if metric.HasField("sum"):
        return MetricType.COUNTER if metric.sum.is_monotonic else MetricType.UP_DOWN_COUNTER
    return MetricType.HISTOGRAM if metric.HasField("histogram") else MetricType.GAUGE


def _is_absent(flags: int) -> bool:
    return bool(flags & _NO_RECORDED_VALUE)


def _exemplar_value(exemplar: Exemplar) -> float:
    return float(exemplar.as_int if exemplar.WhichOneof("value") == "as_int" else exemplar.as_double)
