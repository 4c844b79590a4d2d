"""Functions over ranges of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from otelkit_stack.promql import over_time, rates, regression
from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.context import Context
from otelkit_stack.promql.frames import Frame, refuse_same_labels
from otelkit_stack.promql.grid import Grid
from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.samples import Samples, Windows, windows_of

_Result = tuple[Floats, Booleans]
_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")
_KEEP_NAME = ("first_over_time", "last_over_time")

PLAIN: dict[str, Callable[[Windows], _Result]] = {
    "rate": rates.rate,
    "increase": rates.increase,
    "delta": rates.delta,
    "irate": rates.irate,
    "idelta": rates.idelta,
    "resets": rates.resets,
    "changes": rates.changes,
    "deriv": regression.slope,
    "avg_over_time": over_time.average,
    "count_over_time": over_time.count,
    "first_over_time": over_time.first,
    "last_over_time": over_time.last,
    "max_over_time": over_time.largest,
    "min_over_time": over_time.smallest,
    "present_over_time": over_time.present,
    "absent_over_time": over_time.present,
    "stddev_over_time": over_time.deviation,
    "stdvar_over_time": over_time.variance,
    "sum_over_time": over_time.total,
}
"""Functions of a range vector alone."""
WITH_NUMBER: dict[str, Callable[[Windows, Floats], _Result]] = {
    "predict_linear": regression.prediction,
    "quantile_over_time": over_time.quantile,
}
"""Functions of a range vector and a number."""


def ranged(
    context: Context, name: str, samples: Samples, ends: Grid, length: tuple[int, float], grid: Grid, numbers: Sequence[Floats]
) -> Frame:
    """The function's vector at each step; ``length`` of the windows in milliseconds and in seconds."""
    context.budget.hold(len(samples.labels) * grid.count)
    shape = (len(samples.labels), grid.count)
    values, present = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    for rows, part in samples.parts(grid.count):
        context.budget.check()
        windows = windows_of(part, ends, *length, grid)
        values[rows], present[rows] = WITH_NUMBER[name](windows, numbers[0]) if name in WITH_NUMBER else PLAIN[name](windows)
    return Frame(samples.labels, values, present, samples.nameless).inhabited()


def named(context: Context, name: str, frame: Frame, start: int) -> Frame:
    """The function's result under the labels that it has, which lack the name unless the function only chooses a sample."""
    if name in ("rate", "increase"):
        for labels in frame.labels:
            metric = labels.get(METRIC_NAME)
            if metric and not metric.endswith(_COUNTER_SUFFIXES):
                context.annotations.possible_non_counter(metric, start)
    late = context.options.late_names
    if name not in _KEEP_NAME:
        frame = frame.without_names(late=late)
    return frame if late else refuse_same_labels(frame)
