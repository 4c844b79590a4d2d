"""``histogram_quantile`` and ``histogram_fraction`` over the buckets of classic histograms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql import buckets
from otelkit_stack.promql.annotations import Annotations
from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.labels import BUCKET, METRIC_NAME, Labels

_Computation = Callable[[Floats, Floats, "_Columns"], Floats]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which histograms and steps are computed together."""

    histograms: list[int]
    histogram_of: np.ndarray[tuple[int], np.dtype[np.int64]]
    """For each column, the position of its histogram in ``histograms``."""
    step_of: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class _Histogram:
    labels: Labels
    rows: list[int]
    bounds: list[float]


def histogram_quantile(
    frame: Frame, ratios: Floats, annotations: Annotations, starts: tuple[int, int], times: list[int], *, late_names: bool
) -> Frame:
    """A quantile of each histogram; ``starts`` are the places of the two arguments in the query, ``times`` those of the steps."""
    for ratio in dict.fromkeys(ratios.tolist()):
        if not 0 <= ratio <= 1:
            annotations.invalid_quantile(ratio, starts[0])
    found = _histograms(frame, annotations, starts[1], late_names=late_names)

    def compute(bounds: Floats, counts: Floats, columns: _Columns) -> Floats:
        values, repair = buckets.quantiles(ratios[columns.step_of], bounds, counts)
        for column in np.flatnonzero(repair.columns):
            labels = found[columns.histograms[columns.histogram_of[column]]].labels
            annotations.forced_monotonicity(
                labels.get(METRIC_NAME) if late_names else "",
                starts[1],
                times[columns.step_of[column]],
                (float(repair.lowest_bound[column]), float(repair.highest_bound[column]), float(repair.largest_fall[column])),
            )
        return values

    return _computed(frame, found, compute, late_names=late_names)


def histogram_fraction(frame: Frame, lower: Floats, upper: Floats, annotations: Annotations, start: int, *, late_names: bool) -> Frame:
    """The share of each histogram's observations between two values."""
    found = _histograms(frame, annotations, start, late_names=late_names)

    def compute(bounds: Floats, counts: Floats, columns: _Columns) -> Floats:
        return buckets.fractions(lower[columns.step_of], upper[columns.step_of], bounds, counts)

    return _computed(frame, found, compute, late_names=late_names)


def _histograms(frame: Frame, annotations: Annotations, start: int, *, late_names: bool) -> list[_Histogram]:
    found: dict[Labels, _Histogram] = {}
    for row, labels in enumerate(frame.labels):
        text = labels.get(BUCKET)
        bound = _bound(text)
        if bound is None:
            annotations.bad_bucket_label(labels.get(METRIC_NAME) if late_names else "", text, start)
            continue
        key = labels.drop((BUCKET,))
        histogram = found.setdefault(key, _Histogram(key, [], []))
        histogram.rows.append(row)
        histogram.bounds.append(bound)
    return list(found.values())


def _bound(text: str) -> float | None:
    if text != text.strip() or "_" in text:
        return None
    try:
        return float.fromhex(text) if text.lower().lstrip("+-").startswith("0x") else float(text)
    except (ValueError, OverflowError):
        return None


def _computed(frame: Frame, found: list[_Histogram], compute: _Computation, *, late_names: bool) -> Frame:
    """Histograms of the same bounds together, and of their steps those together that know the same buckets."""
    values = np.zeros((len(found), frame.steps))
    present = np.zeros((len(found), frame.steps), dtype=np.bool_)
    alike: dict[tuple[float, ...], list[int]] = {}
    for index, histogram in enumerate(found):
        alike.setdefault(tuple(histogram.bounds), []).append(index)
    for bounds, members in alike.items():
        rows = np.array([found[index].rows for index in members])
        counts = frame.values[rows].transpose(1, 0, 2).reshape(len(bounds), -1)
        known = frame.present[rows].transpose(1, 0, 2).reshape(len(bounds), -1)
        for is_known, chosen in _patterns(known):
            histogram_of, step_of = np.divmod(chosen, frame.steps)
            columns = _Columns(members, histogram_of, step_of)
            merged_bounds, merged = buckets.coalesced(np.array(bounds)[is_known], counts[np.ix_(np.flatnonzero(is_known), chosen)])
            targets = np.array(members)[histogram_of]
            values[targets, step_of] = compute(merged_bounds, merged, columns)
            present[targets, step_of] = True
    frame = Frame.of([histogram.labels for histogram in found], values, present)
    return frame.without_names(late=late_names).inhabited()


def _patterns(known: Booleans) -> list[tuple[Booleans, np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    """The different sets of buckets that columns know, and the columns of each; the empty set is left out."""
    complete = known.all(axis=0)
    result = [(np.ones(known.shape[0], dtype=np.bool_), np.flatnonzero(complete))] if complete.any() else []
    partial = np.flatnonzero(known.any(axis=0) & ~complete)
    if partial.size:
        distinct, pattern_of = np.unique(known[:, partial], axis=1, return_inverse=True)
        result.extend((distinct[:, index], partial[pattern_of.ravel() == index]) for index in range(distinct.shape[1]))
    return result
