"""Aggregations that make one series of each group: ``sum``, ``avg``, ``min``, ``max``, ``count``, ``group``, ``stddev``, ..."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.promql import compensation
from otelkit_stack.promql.arrays import Booleans, Floats
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.groups import Groups
from otelkit_stack.promql.quantiles import quantile_of_columns

Aggregation = Callable[[Frame, Groups], Floats]

_TERMS_AT_ONCE = 1 << 17
"""How many values are added up together, so that they stay in a processor's cache."""


def aggregated(frame: Frame, groups: Groups, operator: str) -> Frame:
    """The groups' vectors; a group has a value where one of its series has."""
    values = AGGREGATIONS[operator](frame, groups)
    return _framed(frame, groups, values)


def quantiles(frame: Frame, groups: Groups, ratios: Floats) -> Frame:
    """The quantile of each group, at a ratio for each step."""
    values = np.empty((len(groups.labels), frame.steps))
    for group, rows in enumerate(groups.rows_by_group()):
        values[group] = quantile_of_columns(frame.values[rows], frame.present[rows], ratios)
    return _framed(frame, groups, values)


def _framed(frame: Frame, groups: Groups, values: Floats) -> Frame:
    nameless = [False] * len(groups.labels)
    for row, flag in enumerate(frame.nameless):
        nameless[groups.group_of[row]] |= flag
    return Frame(groups.labels, values, _seen(frame, groups), nameless).inhabited()


def _seen(frame: Frame, groups: Groups) -> Booleans:
    rows, starts = groups.sorted_rows()
    if not starts.size:
        return np.empty((0, frame.steps), dtype=np.bool_)
    return np.logical_or.reduceat(frame.present[rows], starts, axis=0)


def _sum(frame: Frame, groups: Groups) -> Floats:
    total, lost = _totals(frame, groups)
    return total + lost


def _totals(frame: Frame, groups: Groups) -> tuple[Floats, Floats]:
    shape = (len(groups.labels), frame.steps)
    total, lost = np.zeros(shape), np.zeros(shape)
    terms = np.where(frame.present, frame.values, 0.0)
    if groups.are_few:
        at_once = max(1, _TERMS_AT_ONCE // max(1, len(terms)))
        for group, rows in enumerate(groups.rows_by_group()):
            for start in range(0, frame.steps, at_once):
                steps = slice(start, start + at_once)
                total[group, steps], lost[group, steps] = compensation.add_up(terms[rows, steps])
        return total, lost
    for chosen, rows in groups.members():
        total[chosen], lost[chosen] = compensation.add(total[chosen], lost[chosen], terms[rows])
    return total, lost


def _average(frame: Frame, groups: Groups) -> Floats:
    total, lost = _totals(frame, groups)
    counts = np.maximum(_count(frame, groups), 1)
    mean = total / counts + lost / counts
    if np.isinf(total).any():
        rows_of = groups.rows_by_group()
        for group, step in np.argwhere(np.isinf(total)):
            members = rows_of[group][frame.present[rows_of[group], step]]
            values = frame.values[members, step]
            if np.isfinite(values).all():
                mean[group, step] = compensation.incremental_mean(values.tolist())
    return mean


def _count(frame: Frame, groups: Groups) -> Floats:
    rows, starts = groups.sorted_rows()
    if not starts.size:
        return np.empty((0, frame.steps))
    return np.add.reduceat(frame.present[rows].astype(np.float64), starts, axis=0)


def _group(frame: Frame, groups: Groups) -> Floats:
    return np.ones((len(groups.labels), frame.steps))


def _largest(frame: Frame, groups: Groups) -> Floats:
    return _extreme(frame, groups, np.greater)


def _smallest(frame: Frame, groups: Groups) -> Floats:
    return _extreme(frame, groups, np.less)


def _extreme(frame: Frame, groups: Groups, is_better: np.ufunc) -> Floats:
    best = np.full((len(groups.labels), frame.steps), np.nan)
    candidates = np.where(frame.present, frame.values, np.nan)
    for chosen, rows in groups.members():
        held, offered = best[chosen], candidates[rows]
        best[chosen] = np.where(is_better(offered, held) | np.isnan(held), offered, held)
    return best


def _variance(frame: Frame, groups: Groups) -> Floats:
    shape = (len(groups.labels), frame.steps)
    counts, mean, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for chosen, rows in groups.members():
        values, present = frame.values[rows], frame.present[rows]
        counts[chosen] += present
        is_first = present & (counts[chosen] == 1)
        distance = values - mean[chosen]
        new_mean = np.where(is_first, values, mean[chosen] + distance / np.maximum(counts[chosen], 1))
        product = np.where(is_first, np.where(np.isfinite(values), 0.0, np.nan), distance * (values - new_mean))
        squares[chosen] += np.where(present, product, 0.0)
        mean[chosen] = np.where(present, new_mean, mean[chosen])
    return squares / np.maximum(counts, 1)


def _deviation(frame: Frame, groups: Groups) -> Floats:
    return np.sqrt(_variance(frame, groups))


AGGREGATIONS: dict[str, Aggregation] = {
    "sum": _sum,
    "avg": _average,
    "count": _count,
    "group": _group,
    "max": _largest,
    "min": _smallest,
    "stddev": _deviation,
    "stdvar": _variance,
}
"""Aggregators without a parameter."""
