"""Straight lines through the samples of a window: ``deriv`` and ``predict_linear``."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql import compensation
from otelkit_stack.promql.arrays import Booleans, Floats, Integers
from otelkit_stack.promql.samples import Windows


def slope(windows: Windows) -> tuple[Floats, Booleans]:
    """The change per second."""
    present = windows.counts > 1
    return _line(windows, windows.times[np.where(present, windows.lows, 0)])[0], present


def prediction(windows: Windows, ahead: Floats) -> tuple[Floats, Booleans]:
    """The line's value so many seconds after the step."""
    steepness, now = _line(windows, np.broadcast_to(windows.steps, windows.lows.shape))
    return steepness * ahead + now, windows.counts > 1


def _line(windows: Windows, origin: Integers) -> tuple[Floats, Floats]:
    """Slope, and height at the origin, of the line of least squares."""
    shape = windows.lows.shape
    sums = [(np.zeros(shape), np.zeros(shape)) for _ in range(4)]
    counts = np.maximum(windows.counts, 1)
    first = windows.values[np.where(windows.counts > 0, windows.lows, 0)]
    is_constant = np.ones(shape, dtype=np.bool_)
    for has_one, index in windows.members():
        y = np.where(has_one, windows.values[index], 0.0)
        x = np.where(has_one, (windows.times[index] - origin) / 1e3, 0.0)
        is_constant &= ~has_one | (y == first) | (index == windows.lows)
        for number, term in enumerate((x, y, x * y, x * x)):
            sums[number] = compensation.add(*sums[number], term)
    sum_x, sum_y, sum_xy, sum_x2 = (total + lost for total, lost in sums)
    covariance = sum_xy - sum_x * sum_y / counts
    spread = sum_x2 - sum_x * sum_x / counts
    steepness = covariance / spread
    height = sum_y / counts - steepness * sum_x / counts
    # A constant line has no rounding errors, and none through infinity is known.
    level = np.where(np.isinf(first), np.nan, first)
    flat = np.where(np.isinf(first), np.nan, 0.0)
    return np.where(is_constant, flat, steepness), np.where(is_constant, level, height)
