"""What the samples of a window come to: ``sum_over_time`` and its kin, for the windows of many series at once."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql import compensation
from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.quantiles import quantile_of_rows
from otelkit_stack.promql.samples import Windows

_GATHERED_AT_ONCE = 1 << 21
"""Samples that are copied together to be sorted."""


def total(windows: Windows) -> tuple[Floats, Booleans]:
    """The sum of the values."""
    result, lost = _sum(windows)
    return np.where(np.isinf(result), result, result + lost), windows.counts > 0


def average(windows: Windows) -> tuple[Floats, Booleans]:
    """The mean of the values."""
    result, lost = _sum(windows)
    counts = np.maximum(windows.counts, 1)
    mean = result / counts + lost / counts
    for row, column in np.argwhere(np.isinf(result)):
        values = windows.values[windows.lows[row, column] : windows.highs[row, column]]
        if np.isfinite(values).all():
            mean[row, column] = compensation.incremental_mean(values.tolist())
    return mean, windows.counts > 0


def count(windows: Windows) -> tuple[Floats, Booleans]:
    """How many samples there are."""
    return windows.counts.astype(np.float64), windows.counts > 0


def present(windows: Windows) -> tuple[Floats, Booleans]:
    """1 where there is a sample."""
    return np.ones(windows.lows.shape), windows.counts > 0


def first(windows: Windows) -> tuple[Floats, Booleans]:
    """The oldest value."""
    there = windows.counts > 0
    return windows.values[np.where(there, windows.lows, 0)], there


def last(windows: Windows) -> tuple[Floats, Booleans]:
    """The newest value."""
    there = windows.counts > 0
    return windows.values[np.where(there, windows.highs - 1, 0)], there


def largest(windows: Windows) -> tuple[Floats, Booleans]:
    """The largest value; NaN only where there is nothing else."""
    result, there = first(windows)
    for has_one, index in windows.members():
        value = windows.values[index]
        result = np.where(has_one & ((value > result) | np.isnan(result)), value, result)
    return result, there


def smallest(windows: Windows) -> tuple[Floats, Booleans]:
    """The smallest value; NaN only where there is nothing else."""
    result, there = first(windows)
    for has_one, index in windows.members():
        value = windows.values[index]
        result = np.where(has_one & ((value < result) | np.isnan(result)), value, result)
    return result, there


def variance(windows: Windows) -> tuple[Floats, Booleans]:
    """The population's variance, by Welford's method with compensated sums."""
    mean, mean_lost, squares, squares_lost = (np.zeros(windows.lows.shape) for _ in range(4))
    for number, (has_one, index) in enumerate(windows.members(), start=1):
        value = windows.values[index]
        distance = np.where(has_one, value - (mean + mean_lost), 0.0)
        mean, mean_lost = compensation.add(mean, mean_lost, distance / number)
        product = np.where(has_one, distance * (value - (mean + mean_lost)), 0.0)
        squares, squares_lost = compensation.add(squares, squares_lost, product)
    return (squares + squares_lost) / np.maximum(windows.counts, 1), windows.counts > 0


def deviation(windows: Windows) -> tuple[Floats, Booleans]:
    """The population's standard deviation."""
    result, there = variance(windows)
    return np.sqrt(result), there


def quantile(windows: Windows, ratios: Floats) -> tuple[Floats, Booleans]:
    """The value below which a share of the values lies; the share may differ from step to step."""
    counts = windows.counts.ravel()
    lows = windows.lows.ravel()
    share = np.broadcast_to(ratios, windows.lows.shape).ravel()
    result = np.empty(counts.size)
    width = int(counts.max(initial=0))
    at_once = max(1, _GATHERED_AT_ONCE // max(1, width))
    for start in range(0, counts.size, at_once):
        cells = slice(start, start + at_once)
        index = lows[cells, np.newaxis] + np.arange(width)
        is_member = np.arange(width) < counts[cells, np.newaxis]
        gathered = windows.values[np.where(is_member, index, 0)]
        result[cells] = quantile_of_rows(gathered, is_member, share[cells])
    return result.reshape(windows.lows.shape), windows.counts > 0


def _sum(windows: Windows) -> tuple[Floats, Floats]:
    result, lost = np.zeros(windows.lows.shape), np.zeros(windows.lows.shape)
    for has_one, index in windows.members():
        result, lost = compensation.add(result, lost, np.where(has_one, windows.values[index], 0.0))
    return result, lost
