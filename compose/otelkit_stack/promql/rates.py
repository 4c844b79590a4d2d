"""How fast a series moves: ``rate``, ``increase``, ``delta`` and their kin over the windows of many series at once."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.samples import Windows

_NEAR = 1.1
"""A sample this many mean distances from the window's edge is still taken to be the series' next one."""


def rate(windows: Windows) -> tuple[Floats, Booleans]:
    """A counter's increase per second."""
    return _extrapolated(windows, is_counter=True, per_s=windows.length_s)


def increase(windows: Windows) -> tuple[Floats, Booleans]:
    """A counter's increase."""
    return _extrapolated(windows, is_counter=True)


def delta(windows: Windows) -> tuple[Floats, Booleans]:
    """How much a gauge has changed."""
    return _extrapolated(windows, is_counter=False)


def irate(windows: Windows) -> tuple[Floats, Booleans]:
    """A counter's increase per second between its last two samples."""
    difference, seconds, present = _last_two(windows, is_counter=True)
    return difference / seconds, present


def idelta(windows: Windows) -> tuple[Floats, Booleans]:
    """The difference between a gauge's last two samples."""
    difference, _, present = _last_two(windows, is_counter=False)
    return difference, present


def resets(windows: Windows) -> tuple[Floats, Booleans]:
    """How often a counter began anew."""
    return _count_between_neighbours(windows, windows.values[1:] < windows.values[:-1])


def changes(windows: Windows) -> tuple[Floats, Booleans]:
    """How often the value differs from the one before."""
    later, earlier = windows.values[1:], windows.values[:-1]
    return _count_between_neighbours(windows, (later != earlier) & ~(np.isnan(later) & np.isnan(earlier)))


def _count_between_neighbours(windows: Windows, happens: Booleans) -> tuple[Floats, Booleans]:
    present = windows.counts > 0
    before = np.concatenate([[0], np.cumsum(happens)])
    first, last = np.where(present, windows.lows, 0), np.where(present, windows.highs - 1, 0)
    return (before[last] - before[first]).astype(np.float64), present


def _last_two(windows: Windows, *, is_counter: bool) -> tuple[Floats, Floats, Booleans]:
    present = windows.counts > 1
    last = np.where(present, windows.highs - 1, 0)
    previous = np.where(present, windows.highs - 2, 0)
    newest, older = windows.values[last], windows.values[previous]
    difference = newest - older
    if is_counter:
        difference = np.where(newest < older, newest, difference)
    return difference, (windows.times[last] - windows.times[previous]) / 1000, present


def _extrapolated(windows: Windows, *, is_counter: bool, per_s: float = 1.0) -> tuple[Floats, Booleans]:
    """The change over each window, as if the first and the last sample lay at its edges where they lie close to them."""
    present = windows.counts > 1
    low, last = np.where(present, windows.lows, 0), np.where(present, windows.highs - 1, 0)
    first_value, first_time, last_time = windows.values[low], windows.times[low], windows.times[last]
    change = windows.values[last] - first_value
    if is_counter:
        _add_resets(windows, change, present)
    sampled = (last_time - first_time) / 1000
    distance = sampled / np.maximum(windows.counts - 1, 1)
    near = distance * _NEAR
    to_start = (first_time - (windows.ends - windows.length_ms)) / 1000
    to_end = (windows.ends - last_time) / 1000
    to_start = np.where(to_start >= near, distance / 2, to_start)
    to_end = np.where(to_end >= near, distance / 2, to_end)
    if is_counter:
        # No counter was ever below zero, so the series began no earlier than where its slope meets zero.
        rises = (change > 0) & (first_value >= 0)
        to_zero = sampled * (first_value / np.where(rises, change, 1.0))
        to_start = np.where(rises & (to_zero < to_start), to_zero, to_start)
    factor = (sampled + to_start + to_end) / np.where(present, sampled, 1.0)
    return change * (factor / per_s), present


def _add_resets(windows: Windows, change: Floats, present: Booleans) -> None:
    """Add to each change what the counter had reached whenever it began anew inside the window."""
    is_reset = np.concatenate([[False], windows.values[1:] < windows.values[:-1]])
    reset_at = np.flatnonzero(is_reset)
    if not reset_at.size:
        return
    resets_until = np.cumsum(is_reset)
    # Numbers of the first reset behind the window's first sample, and of the first one behind the window.
    first = resets_until[np.where(present, windows.lows, 0)]
    behind = resets_until[np.where(present, windows.highs - 1, 0)]
    rank = 0
    while (cells := first + rank < behind).any():
        change[cells] += windows.values[reset_at[first[cells] + rank] - 1]
        rank += 1
