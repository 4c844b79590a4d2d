"""Instant selectors: the newest sample of each series at each step, unless it is too old or says that the series ended."""

from __future__ import annotations

import numpy as np

from otelkit_stack.promql import durations
from otelkit_stack.promql.arrays import Integers
from otelkit_stack.promql.context import Context
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.grid import Grid
from otelkit_stack.promql.syntax import Subquery, VectorSelector


def moments(selector: VectorSelector | Subquery, grid: Grid) -> Grid:
    """When in the data the steps look: only once where ``@`` says so."""
    assert isinstance(selector.offset, int)
    offset = durations.milliseconds(selector.offset)
    if selector.at is None:
        return grid.shifted(-offset)
    assert isinstance(selector.at, int)
    return Grid(selector.at - offset, grid.step, 1)


def selected(context: Context, selector: VectorSelector, grid: Grid) -> tuple[Frame, Integers]:
    """The vector of each step, and the times of its samples."""
    lookback = context.options.lookback_ms
    looked = moments(selector, grid)
    samples = context.samples(selector.matchers, looked.start - lookback + 1, looked.end)
    shape = (len(samples.labels), looked.count)
    context.budget.hold(len(samples.labels) * grid.count)
    values, present, times = np.zeros(shape), np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    for rows, part in samples.parts(looked.count):
        context.budget.check()
        behind = part.until(looked)
        newest = np.maximum(behind - 1, 0)
        times[rows] = part.times[newest]
        values[rows] = part.values[newest]
        has_one = behind > part.bounds[:-1, np.newaxis]
        present[rows] = has_one & (times[rows] > looked.times - lookback) & ~part.stale()[newest]
    frame = Frame(samples.labels, values, present, samples.nameless)
    alive = np.flatnonzero(present.any(axis=1))
    frame, times = frame.rows(alive), times[alive]
    if looked.count != grid.count:
        return frame.spread(grid.count), np.broadcast_to(times, (len(alive), grid.count))
    return frame, times
