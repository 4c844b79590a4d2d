"""Calls and durations of spans, counted as they arrive: what the Collector's ``span_metrics`` connector makes where there is one.

Counts go on where they stood when the stack was stopped, or killed: they are read back from the series they made.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from otelkit.catalog.span_metrics import (
    BOUNDS_S,
    CALLS,
    CARRIED_RESOURCE_KEYS,
    DIMENSIONS,
    DURATION,
    EXEMPLARS_PER_POINT,
    EXPIRES_AFTER_S,
    INTERVAL_S,
    MOST_SERIES,
    OF_EVERY_SPAN,
    RESOURCE_KEYS,
)
from otelkit_stack.loading import KINDS, STATUSES
from otelkit_stack.metrics.label_index import METRIC_NAME
from otelkit_stack.metrics.samples import SelectedSeries
from otelkit_stack.prometheus_naming import bound_text, label_name, label_value
from otelkit_stack.receiver.series_labels import ResourceLabels
from otelkit_stack.rows import Batch, ExemplarRow, ResourceRow, SampleRow, SeriesRow, SpanRow, content_id, json_text

OVERFLOW = "otel_metric_overflow"
_NAME, _KIND, _STATUS = map(label_name, (label.name for label in OF_EVERY_SPAN))
NAMES = (CALLS, f"{DURATION}_bucket", f"{DURATION}_count", f"{DURATION}_sum")

_LES = (*map(bound_text, BOUNDS_S), "+Inf")
_MOST_KNOWN = 4 * MOST_SERIES

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs, without ``__name__`` and ``le``."""


@dataclass(slots=True)
class _Calls:
    """What one series has seen: calls, their seconds, and how many fell into each bucket alone."""

    newest_ns: int
    calls: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * len(_LES))
    exemplars: list[tuple[int, SpanRow]] = field(default_factory=list)
    is_restored: bool = False
    rows: tuple[SeriesRow, ...] = ()
    """Series of calls, count, sum, and each bucket: made once."""


class SpanMetrics:
    """Counts spans, and gives the counts as samples. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Labels, _Calls] = {}
        self._of_resource: dict[int, Labels] = {}
        self._known: dict[tuple[object, ...], Labels] = {}

    def restore(self, series: Iterable[SelectedSeries]) -> None:
        """Takes up the counts of the newest sample of each series that an earlier run made. Those of :data:`NAMES`, and no others."""
        with self._lock:
            cumulative: dict[Labels, dict[str, int]] = {}
            for labels, times, values in series:
                own = tuple(sorted((name, value) for name, value in labels.items() if name not in (METRIC_NAME, "le")))
                newest_ns = int(times[-1]) * 1_000_000
                calls = self._series.setdefault(own, _Calls(newest_ns, is_restored=True))
                calls.newest_ns = max(calls.newest_ns, newest_ns)
                if labels[METRIC_NAME] == CALLS:
                    calls.calls = int(values[-1])
                elif labels[METRIC_NAME] == f"{DURATION}_sum":
                    calls.seconds = float(values[-1])
                elif labels[METRIC_NAME] == f"{DURATION}_bucket":
                    cumulative.setdefault(own, {})[labels["le"]] = int(values[-1])
            for own, counts in cumulative.items():
                totals = [counts.get(le, 0) for le in _LES]
                self._series[own].buckets = [total - before for total, before in zip(totals, [0, *totals], strict=False)]

    def add(self, batch: Batch, now_ns: int) -> None:
        """Counts the spans of a batch that was taken in at that Unix time."""
        if not batch.spans:
            return
        with self._lock:
            for span, dimensions in zip(batch.spans, batch.dimensions, strict=True):
                key = span.resource_id, span.name, span.kind, span.status, dimensions
                labels = self._known.get(key)
                if labels is None:
                    labels = self._known[key] = self._labels(span, batch.resources)
                calls = self._series.get(labels)
                if calls is None:
                    calls = self._series[labels] = _Calls(now_ns)
                seconds = span.duration_ns / 1e9
                bucket = bisect_left(BOUNDS_S, seconds)
                calls.newest_ns = now_ns
                calls.calls += 1
                calls.seconds += seconds
                calls.buckets[bucket] += 1
                if len(calls.exemplars) < EXEMPLARS_PER_POINT:
                    calls.exemplars.append((bucket, span))

    def collect(self, now_ns: int) -> Batch:
        """The counts as samples of that Unix time, with the exemplars since the last call. What got no span for long ends here."""
        batch, time_ms = Batch(), now_ns // 1_000_000
        with self._lock:
            expired = [labels for labels, calls in self._series.items() if now_ns - calls.newest_ns > EXPIRES_AFTER_S * 1e9]
            for labels in expired:
                del self._series[labels]
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            for labels, calls in self._series.items():
                if not calls.rows:
                    calls.rows = _series_rows(labels)
                    if not calls.is_restored:  # zero first, or a rate would never see what the first sample counts
                        batch.samples += [SampleRow(row.id, time_ms - int(INTERVAL_S * 1000), 0.0) for row in calls.rows]
                values = (calls.calls, calls.calls, calls.seconds, *accumulate(calls.buckets))
                batch.series.update((row.id, row) for row in calls.rows)
                batch.samples += [SampleRow(row.id, time_ms, float(value)) for row, value in zip(calls.rows, values, strict=True)]
                batch.exemplars += [_exemplar(calls.rows[3 + bucket], span) for bucket, span in calls.exemplars]
                calls.exemplars.clear()
        return batch

    def _labels(self, span: SpanRow, resources: Mapping[int, ResourceRow]) -> Labels:
        attributes: dict[str, Any] = json.loads(span.attributes)
        resource = self._resource_labels(resources[span.resource_id])
        labels = self._made(span, [attributes.get(name) for name in DIMENSIONS], resource)
        if labels not in self._series and len(self._series) >= MOST_SERIES:
            return tuple(sorted((*resource, (OVERFLOW, "true"))))
        return labels

    @staticmethod
    def _made(span: SpanRow, dimensions: Sequence[object], resource: Labels) -> Labels:
        labels = dict(resource)
        labels[_NAME] = span.name
        labels[_KIND] = f"SPAN_KIND_{KINDS[span.kind] if span.kind < len(KINDS) else KINDS[0]}"
        labels[_STATUS] = f"STATUS_CODE_{STATUSES[span.status] if span.status < len(STATUSES) else STATUSES[0]}"
        labels.update(
            (label_name(name), label_value(value)) for name, value in zip(DIMENSIONS, dimensions, strict=True) if value is not None
        )
        return tuple(sorted((name, value) for name, value in labels.items() if value))

    def _resource_labels(self, resource: ResourceRow) -> Labels:
        labels = self._of_resource.get(resource.id)
        if labels is None:
            attributes = json.loads(resource.attributes)
            kept = {name: attributes[name] for name in (*RESOURCE_KEYS, *CARRIED_RESOURCE_KEYS) if name in attributes}
            of = ResourceLabels.of(kept)
            labels = self._of_resource[resource.id] = tuple(sorted((of.promoted | of.identity).items()))
        return labels


def _series_rows(labels: Labels) -> tuple[SeriesRow, ...]:
    own = dict(labels)
    plain = [_series_row(name, own) for name in (CALLS, f"{DURATION}_count", f"{DURATION}_sum")]
    return (*plain, *(_series_row(f"{DURATION}_bucket", own | {"le": le}) for le in _LES))


def _series_row(name: str, labels: Mapping[str, str]) -> SeriesRow:
    text = json_text(dict(sorted(labels.items())))
    return SeriesRow(content_id("series", name, text), name, text)


def _exemplar(series: SeriesRow, span: SpanRow) -> ExemplarRow:
    return ExemplarRow(
        series_id=series.id,
        time_ns=span.start_ns + span.duration_ns,
        value=span.duration_ns / 1e9,
        trace_id=span.trace_id,
        span_id=span.span_id,
        labels="{}",
    )
