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
    steepness, height = np.zeros(windows.lows.size), np.zeros(windows.lows.size)
    counts, origins = np.maximum(windows.counts.ravel(), 1), origin.ravel()
    for part in windows.gathered():
        y = np.where(part.is_member, windows.values[part.index], 0.0)
        x = np.where(part.is_member, (windows.times[part.index] - origins[part.cells]) / 1e3, 0.0)
        many = counts[part.cells]
        sum_x, sum_y, sum_xy, sum_x2 = (total + lost for total, lost in map(compensation.add_up, (x, y, x * y, x * x)))
        covariance = sum_xy - sum_x * sum_y / many
        spread = sum_x2 - sum_x * sum_x / many
        slopes = covariance / spread
        # A constant line has no rounding errors, and none through infinity is known.
        is_constant = ((y[1:] == y[0]) | ~part.is_member[1:]).all(axis=0) if len(y) else np.ones(many.size, dtype=np.bool_)
        first = y[0] if len(y) else np.zeros(many.size)
        is_infinite = np.isinf(first)
        steepness[part.cells] = np.where(is_constant, np.where(is_infinite, np.nan, 0.0), slopes)
        heights = sum_y / many - slopes * sum_x / many
        height[part.cells] = np.where(is_constant, np.where(is_infinite, np.nan, first), heights)
    return steepness.reshape(windows.lows.shape), height.reshape(windows.lows.shape)
