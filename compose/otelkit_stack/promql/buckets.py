"""Arithmetic with classic histograms: counts of observations that are not larger than a bound.

A histogram at one step is a column; many columns with the same bounds are computed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats

_TOLERANCE = 1e-12
"""Relative difference between neighbouring counts that is rounding, not observations."""
_SMALLEST_NORMAL = np.finfo(np.float64).smallest_normal
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, slots=True)
class Repair:
    """Where counts had to be raised, because they fell from one bound to the next."""

    columns: Booleans
    lowest_bound: Floats
    highest_bound: Floats
    largest_fall: Floats


def coalesced(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Bounds in order, each once; counts of equal bounds are added."""
    order = np.argsort(bounds, kind="stable")
    unique, starts = np.unique(bounds[order], return_index=True)
    return unique, np.add.reduceat(counts[order], starts, axis=0)


def quantiles(ratios: Floats, bounds: Floats, counts: Floats) -> tuple[Floats, Repair]:
    """The value below which a share of the observations of each column lies, as if they were spread evenly inside a bucket.

    ``bounds`` are ascending. NaN where the last one is not +Inf, or where there is one bucket only, or no observation.
    """
    columns = counts.shape[1]
    if not np.isposinf(bounds[-1]):
        return _outside(ratios, np.full(columns, np.nan)), _unrepaired(columns)
    counts, repair = _monotonic(bounds, counts)
    repair = _only_where(repair, (ratios >= 0) & (ratios <= 1))
    if bounds.size < 2:
        return _outside(ratios, np.full(columns, np.nan)), repair
    observations = counts[-1]
    rank = ratios * observations
    # The first bucket, the last one left out, whose count reaches the rank. NaN reaches nothing.
    bucket = np.argmax(np.vstack([counts[:-1] >= rank, np.ones((1, columns), dtype=np.bool_)]), axis=0)
    every = np.arange(columns)
    below = np.maximum(bucket - 1, 0)
    is_first = bucket == 0
    start = np.where(is_first, 0.0, bounds[below])
    count_below = np.where(is_first, 0.0, counts[below, every])
    share = (rank - count_below) / (counts[bucket, every] - count_below)
    result = start + (bounds[bucket] - start) * share
    result = np.where(is_first & (bounds[0] <= 0), bounds[0], result)
    result = np.where(bucket == bounds.size - 1, bounds[-2], result)
    return _outside(ratios, np.where(observations == 0, np.nan, result)), repair


def fractions(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    """The share of each column's observations between two values, as if they were spread evenly inside a bucket."""
    columns = counts.shape[1]
    if not np.isposinf(bounds[-1]):
        return np.full(columns, np.nan)
    total = counts[-1]
    result = (_rank_of(upper, bounds, counts) - _rank_of(lower, bounds, counts)) / total
    result = np.where(lower >= upper, 0.0, result)
    return np.where((total == 0) | np.isnan(lower) | np.isnan(upper), np.nan, result)


def _rank_of(value: Floats, bounds: Floats, counts: Floats) -> Floats:
    """How many observations lie below the value."""
    columns = counts.shape[1]
    total = counts[-1]
    rank = np.array(total)
    is_found = np.zeros(columns, dtype=np.bool_)
    below = np.zeros(columns)
    start = -np.inf if bounds[0] <= 0 else 0.0
    for bound, count in zip(bounds, counts, strict=True):
        at_edge = ~is_found & (start >= value)
        inside = ~is_found & ~at_edge & (bound > value)
        spread = count if np.isneginf(start) else below + (count - below) * (value - start) / (bound - start)
        rank = np.where(at_edge, below, np.where(inside, spread, rank))
        is_found |= at_edge | inside
        below, start = count, bound
    return np.where(rank > total, total, rank)


def _outside(ratios: Floats, values: Floats) -> Floats:
    result = np.where(ratios < 0, -np.inf, np.where(ratios > 1, np.inf, values))
    return np.where(np.isnan(ratios), np.nan, result)


def _monotonic(bounds: Floats, counts: Floats) -> tuple[Floats, Repair]:
    """Counts that never fall; differences that are rounding are ignored silently in both directions."""
    repaired = np.array(counts)
    columns = counts.shape[1]
    lowest, highest, fall = np.full(columns, np.inf), np.full(columns, -np.inf), np.zeros(columns)
    columns_repaired = np.zeros(columns, dtype=np.bool_)
    for index in range(1, bounds.size):
        before, here = repaired[index - 1], repaired[index]
        close = (here != before) & _almost_equal(before, here)
        falls = ~close & (here < before)
        columns_repaired |= falls
        lowest = np.where(falls, np.minimum(lowest, bounds[index]), lowest)
        highest = np.where(falls, np.maximum(highest, bounds[index]), highest)
        fall = np.where(falls, np.fmax(fall, before - here), fall)
        repaired[index] = np.where(close | falls, before, here)
    return repaired, Repair(columns_repaired, lowest, highest, fall)


def _almost_equal(first: Floats, second: Floats) -> Booleans:
    total = np.abs(first) + np.abs(second)
    difference = np.abs(first - second)
    tiny = (first == 0) | (second == 0) | (total < _SMALLEST_NORMAL)
    result: Booleans = np.where(tiny, difference < _TOLERANCE * _SMALLEST_NORMAL, difference / np.minimum(total, _LARGEST) < _TOLERANCE)
    return result | (np.isnan(first) & np.isnan(second))


def _unrepaired(columns: int) -> Repair:
    return Repair(np.zeros(columns, dtype=np.bool_), np.zeros(columns), np.zeros(columns), np.zeros(columns))


def _only_where(repair: Repair, mask: Booleans) -> Repair:
    return Repair(repair.columns & mask, repair.lowest_bound, repair.highest_bound, repair.largest_fall)
