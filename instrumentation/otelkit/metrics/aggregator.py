"""Counts, sums and buckets per label set, in plain dictionaries.

The request path records into this instead of the OpenTelemetry SDK, which costs ten times as much per measurement. Each metric keeps at
most ``series_cap`` label sets; what comes beyond is added to one overflow series, as the OpenTelemetry SDK specification asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from threading import Lock
from time import time_ns
from typing import NamedTuple

from opentelemetry.trace import SpanContext

from otelkit.catalog.metrics import METRICS, SERIES_OVERFLOWED, Kind, Metric

LabelValues = tuple[str | int | bool | None, ...]
"""One value per label of the metric, in the catalogue's order; None where the label is absent."""

OVERFLOW: LabelValues = ("otel.metric.overflow",)
"""Key of the overflow series; it has no labels but ``otel.metric.overflow=true``."""

MOST_ZEROS = 100
"""Series that a counter may begin with at zero; more combinations than that are not an outcome, and wait for their first event."""


class Exemplar(NamedTuple):
    """One measurement and the span it was taken in."""

    value: float
    time_ns: int
    trace_id: int
    span_id: int


class Distribution:
    """One histogram series: observations per bucket, the last above all bounds, and the newest exemplar of each bucket."""

    __slots__ = ("counts", "exemplars", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * (buckets + 1)
        self.exemplars: list[tuple[float, int, SpanContext] | None] = [None] * (buckets + 1)
        """Value, time and span; most are replaced before anybody reads them, so only those that are read become an :class:`Exemplar`."""
        self.sum = 0.0


@dataclass(frozen=True, slots=True)
class NumberPoint:
    """The value of one series of a counter or gauge."""

    labels: LabelValues
    value: float


@dataclass(frozen=True, slots=True)
class HistogramPoint:
    """One histogram series; ``counts`` are per bucket, not cumulative."""

    labels: LabelValues
    counts: tuple[int, ...]
    sum: float
    exemplars: tuple[Exemplar, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All series of one metric at one moment."""

    metric: Metric
    numbers: tuple[NumberPoint, ...] = ()
    histograms: tuple[HistogramPoint, ...] = ()

    @property
    def points(self) -> int:
        """Number of series."""
        return len(self.numbers) + len(self.histograms)


def known_series(metric: Metric) -> tuple[LabelValues, ...]:
    """Every label set that a counter can have, where all its values are known; they begin at zero, so that no ratio vanishes.

    Empty for what is no counter, has an open label, or more than :data:`MOST_ZEROS` combinations.
    """
    if metric.kind is not Kind.COUNTER or prod(len(label.values) for label in metric.labels) > MOST_ZEROS:
        return ()
    return tuple(product(*(label.values for label in metric.labels)))  # of an open label: no value, so no series


class Bell:
    """A lock that rings whenever somebody takes it. An instrument has one instead of a plain lock until the first use, and none after."""

    __slots__ = ("_ring", "lock")

    def __init__(self, ring: Callable[[], None]) -> None:
        self.lock = Lock()
        self._ring = ring

    def __enter__(self) -> None:
        self._ring()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class Numbers:
    """One number per series: what counters and gauges have in common."""

    __slots__ = ("_cap", "_lock", "_on_overflow", "_values", "_zeros", "metric")

    def __init__(self, metric: Metric, cap: int, on_overflow: Callable[[Metric], None]) -> None:
        self.metric = metric
        self._cap = cap
        self._on_overflow = on_overflow
        self._zeros = known_series(metric)[:cap]
        self._values: dict[LabelValues, float] = dict.fromkeys(self._zeros, 0)
        self._lock: Lock | Bell = Lock()

    def snapshot(self, *, forget_exemplars: bool) -> Snapshot:  # noqa: ARG002  (one signature for every instrument)
        """The current values."""
        with self._lock:
            return Snapshot(self.metric, tuple(NumberPoint(labels, value) for labels, value in self._values.items()))

    def reset(self) -> None:
        """Forgets everything; a child process starts from nothing."""
        self._lock = Lock()  # the parent may have held the old one when it forked
        self._values = dict.fromkeys(self._zeros, 0)


class Counter(Numbers):
    """A counter or up-down counter."""

    __slots__ = ()

    def add(self, amount: float, labels: LabelValues) -> None:
        """Adds to the series of these label values."""
        with self._lock:
            values = self._values
            if labels not in values and len(values) >= self._cap:
                labels = OVERFLOW
            values[labels] = values.get(labels, 0) + amount
        if labels is OVERFLOW:
            self._on_overflow(self.metric)


class Gauge(Numbers):
    """The last value of each series."""

    __slots__ = ()

    def set(self, value: float, labels: LabelValues) -> None:
        """Replaces the value of the series of these label values."""
        with self._lock:
            if labels not in self._values and len(self._values) >= self._cap:
                labels = OVERFLOW
            self._values[labels] = value
        if labels is OVERFLOW:
            self._on_overflow(self.metric)


class Histogram:
    """A histogram with the buckets of its metric."""

    __slots__ = ("_bounds", "_cap", "_lock", "_on_overflow", "_overflow", "_series", "metric")

    def __init__(self, metric: Metric, cap: int, on_overflow: Callable[[Metric], None]) -> None:
        self.metric = metric
        self._bounds = metric.buckets
        self._cap = cap
        self._on_overflow = on_overflow
        self._series: dict[LabelValues, Distribution] = {}
        self._overflow: Distribution | None = None
        self._lock: Lock | Bell = Lock()

    def record(self, value: float, labels: LabelValues, span: SpanContext | None = None) -> None:
        """Adds one observation. ``span`` becomes its exemplar when it is sampled."""
        # A bound is the largest value of its bucket (OpenTelemetry and Prometheus agree), hence left.
        bucket = bisect_left(self._bounds, value)
        with self._lock:
            series = self._series.get(labels) or self._begin(labels)
            series.counts[bucket] += 1
            series.sum += value
            if span is not None and span[3] & 1:  # trace_flags and sampled, as properties, cost as much as all the rest
                series.exemplars[bucket] = (value, time_ns(), span)
        if series is self._overflow:
            self._on_overflow(self.metric)

    def record_all(self, observations: Sequence[tuple[float, LabelValues]]) -> None:
        """Adds several observations under one lock, which costs more than what it guards."""
        bounds, overflowed = self._bounds, 0
        with self._lock:
            for value, labels in observations:
                series = self._series.get(labels) or self._begin(labels)
                series.counts[bisect_left(bounds, value)] += 1
                series.sum += value
                if series is self._overflow:
                    overflowed += 1
        for _ in range(overflowed):
            self._on_overflow(self.metric)

    def _begin(self, labels: LabelValues) -> Distribution:
        """A new series, or the one that all share once there are too many."""
        if len(self._series) < self._cap:
            return self._series.setdefault(labels, Distribution(len(self._bounds)))
        if self._overflow is None:
            self._overflow = self._series[OVERFLOW] = Distribution(len(self._bounds))
        return self._overflow

    def snapshot(self, *, forget_exemplars: bool) -> Snapshot:
        """The current buckets; with ``forget_exemplars`` each exemplar is handed out once."""
        points = []
        with self._lock:
            for labels, series in self._series.items():
                exemplars = tuple(Exemplar(value, when, span[0], span[1]) for value, when, span in filter(None, series.exemplars))
                points.append(HistogramPoint(labels, tuple(series.counts), series.sum, exemplars))
                if forget_exemplars and exemplars:
                    series.exemplars = [None] * len(series.counts)
        return Snapshot(self.metric, histograms=tuple(points))

    def reset(self) -> None:
        """Forgets everything; a child process starts from nothing."""
        self._lock = Lock()
        self._series = {}
        self._overflow = None


class HistogramWithoutExemplars(Histogram):
    """For the setting ``metrics.exemplars``: a class of its own, so that keeping them costs no question."""

    __slots__ = ()

    def record(self, value: float, labels: LabelValues, span: SpanContext | None = None) -> None:  # noqa: ARG002  (one signature)
        """Adds one observation."""
        super().record(value, labels)


Observe = Callable[[], Iterable[tuple[LabelValues, float]]]
Instrument = Counter | Gauge | Histogram

_KINDS: dict[Kind, tuple[type[Instrument], str]] = {
    Kind.COUNTER: (Counter, "counter()"),
    Kind.UP_DOWN_COUNTER: (Counter, "counter()"),
    Kind.GAUGE: (Gauge, "gauge()"),
    Kind.HISTOGRAM: (Histogram, "histogram()"),
}


class Aggregator:
    """Every metric of the catalogue in this process, and those that the project declares.

    Recorded ones are instruments, reached by :meth:`counter`, :meth:`gauge` and :meth:`histogram`; observed ones are asked for when
    somebody collects.
    """

    def __init__(self, series_cap: int, *, keeps_exemplars: bool = True) -> None:
        self.start_time_ns = time_ns()
        self._series_cap = series_cap
        self._keeps_exemplars = keeps_exemplars
        self._instruments: dict[Metric, Instrument] = {}
        self._observers: dict[Metric, Observe] = {}
        self._forget: list[Callable[[], None]] = []
        self._making = Lock()
        self.first_use: Callable[[], None] | None = None
        """To be called before anything is recorded past the instruments, while this process waits (see :meth:`wait`)."""

    def counter(self, metric: Metric) -> Counter:
        """The instrument of a counter or up-down counter. Raises TypeError for another kind."""
        instrument = self._instrument(metric)
        if not isinstance(instrument, Counter):
            raise TypeError(f"{metric.name} is a {metric.kind.value}; use {_KINDS[metric.kind][1]} for it.")
        return instrument

    def gauge(self, metric: Metric) -> Gauge:
        """The instrument of a gauge. Raises TypeError for another kind."""
        instrument = self._instrument(metric)
        if not isinstance(instrument, Gauge):
            raise TypeError(f"{metric.name} is a {metric.kind.value}; use {_KINDS[metric.kind][1]} for it.")
        return instrument

    def histogram(self, metric: Metric) -> Histogram:
        """The instrument of a histogram. Raises TypeError for another kind."""
        instrument = self._instrument(metric)
        if not isinstance(instrument, Histogram):
            raise TypeError(f"{metric.name} is a {metric.kind.value}; use {_KINDS[metric.kind][1]} for it.")
        return instrument

    def _instrument(self, metric: Metric) -> Instrument:
        with self._making:
            found = self._instruments.get(metric)
            if found is None:
                if metric.kind not in _KINDS:
                    raise TypeError(f"{metric.name} is a {metric.kind.value}; use observe() for it.")
                kind, _ = _KINDS[metric.kind]
                if kind is Histogram and not self._keeps_exemplars:
                    kind = HistogramWithoutExemplars
                found = self._instruments[metric] = kind(metric, min(metric.series_cap, self._series_cap), self._overflowed)
                if self.first_use is not None:
                    found._lock = Bell(self.first_use)
            return found

    def wait(self, first_use: Callable[[], None]) -> None:
        """Until :meth:`begin` is called, calls ``first_use`` before each measurement. Afterwards that costs nothing."""
        with self._making:
            self.first_use = first_use
            for instrument in self._instruments.values():
                instrument._lock = Bell(first_use)

    def begin(self) -> None:
        """Ends :meth:`wait`."""
        with self._making:
            self.first_use = None
            for instrument in self._instruments.values():
                if isinstance(instrument._lock, Bell):
                    instrument._lock = instrument._lock.lock  # the same lock: somebody may hold it through the bell

    def observe(self, metric: Metric, observe: Observe, forget: Callable[[], None] | None = None) -> None:
        """Asks ``observe`` for the metric's values at every collection, instead of recording them.

        ``forget`` is called in a child process, where the values begin from nothing.
        """
        self._observers[metric] = observe
        if forget is not None:
            self._forget.append(forget)

    def read(self, metric: Metric, *, forget_exemplars: bool = False) -> Snapshot:
        """The metric as it is now; without points where nothing records or observes it."""
        if metric in self._observers:
            return Snapshot(metric, tuple(NumberPoint(labels, value) for labels, value in self._observers[metric]()))
        instrument = self._instruments.get(metric)
        return Snapshot(metric) if instrument is None else instrument.snapshot(forget_exemplars=forget_exemplars)

    def collect(self, *, forget_exemplars: bool = False) -> list[Snapshot]:
        """Every metric that has a value: the catalogue's in its order, then the project's."""
        metrics = dict.fromkeys((*METRICS, *list(self._instruments)))
        snapshots = (self.read(metric, forget_exemplars=forget_exemplars) for metric in metrics)
        return [snapshot for snapshot in snapshots if snapshot.points]

    def reset(self) -> None:
        """Forgets everything; called in a child process, whose parent exports its own measurements."""
        self.start_time_ns = time_ns()
        self._making = Lock()
        for instrument in self._instruments.values():
            instrument.reset()
        for forget in self._forget:
            forget()

    def overflowed(self, name: str, measurements: int) -> None:
        """Counts measurements that a metric of this name added to its overflow series."""
        self.counter(SERIES_OVERFLOWED).add(measurements, (name,))

    def _overflowed(self, metric: Metric) -> None:
        if metric is not SERIES_OVERFLOWED:
            self.overflowed(metric.name, 1)
