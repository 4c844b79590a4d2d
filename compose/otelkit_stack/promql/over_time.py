"""What the samples of a window come to: ``sum_over_time`` and its kin, for the windows of many series at once."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql import compensation
from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.quantiles import quantile_of_columns
from otelkit_stack.promql.samples import Windows

_FEW = 32
"""With so many windows or more, going through them together is faster than one by one."""


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
    return _extreme(windows, np.fmax)


def smallest(windows: Windows) -> tuple[Floats, Booleans]:
    """The smallest value; NaN only where there is nothing else."""
    return _extreme(windows, np.fmin)


def variance(windows: Windows) -> tuple[Floats, Booleans]:
    """The population's variance."""
    result = np.zeros(windows.lows.size)
    for part in windows.gathered():
        values = windows.values[part.index]
        if values.shape[1] < _FEW:
            columns = (column[there].tolist() for column, there in zip(values.T, part.is_member.T, strict=True))
            result[part.cells] = [compensation.variance_of(column) for column in columns]
        else:
            result[part.cells] = compensation.variances(values, part.is_member)
    return result.reshape(windows.lows.shape), windows.counts > 0


def deviation(windows: Windows) -> tuple[Floats, Booleans]:
    """The population's standard deviation."""
    result, there = variance(windows)
    return np.sqrt(result), there


def quantile(windows: Windows, ratios: Floats) -> tuple[Floats, Booleans]:
    """The value below which a share of the values lies; the share may differ from step to step."""
    shares = np.broadcast_to(ratios, windows.lows.shape).ravel()
    result = np.full(shares.size, np.nan)
    for part in windows.gathered():
        result[part.cells] = quantile_of_columns(windows.values[part.index], part.is_member, shares[part.cells])
    return result.reshape(windows.lows.shape), windows.counts > 0


def _sum(windows: Windows) -> tuple[Floats, Floats]:
    result, lost = np.zeros(windows.lows.size), np.zeros(windows.lows.size)
    for part in windows.gathered():
        terms = np.where(part.is_member, windows.values[part.index], 0.0)
        result[part.cells], lost[part.cells] = compensation.add_up(terms)
    return result.reshape(windows.lows.shape), lost.reshape(windows.lows.shape)


def _extreme(windows: Windows, better: np.ufunc) -> tuple[Floats, Booleans]:
    result = np.full(windows.lows.size, np.nan)
    for part in windows.gathered():
        values = np.where(part.is_member, windows.values[part.index], np.nan)
        result[part.cells] = better.reduce(values, axis=0, initial=np.nan)
    return result.reshape(windows.lows.shape), windows.counts > 0
