"""One series made of several: ``sum by (...)``, ``topk`` and the others, at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.frames import Frame, Labels, Present, Values


def grouped(labels: Labels, grouping: s.Grouping | None) -> Labels:
    """What a grouping leaves of the labels; all fall away without one."""
    if grouping is None:
        return ()
    return tuple(pair for pair in labels if (pair[0] in grouping.labels) is grouping.is_by)


def aggregate(query: s.VectorAggregation, frame: Frame) -> Frame:
    """The aggregation of the series."""
    steps = frame.values.shape[1]
    if query.function in ("sort", "sort_desc"):
        return _sorted(frame, is_descending=query.function == "sort_desc")
    groups: dict[Labels, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        groups.setdefault(grouped(labels, query.grouping), []).append(row)
    if query.function in ("topk", "bottomk"):
        return _ranked(frame, groups.values(), query.parameter or 1, is_top=query.function == "topk")
    combine = _COMBINATIONS[query.function]
    rows = []
    for labels, members in groups.items():
        values, present = frame.values[members], frame.present[members]
        rows.append((labels, combine(values, present), np.asarray(present.any(axis=0))))
    return Frame.of(rows, steps)


def _total(values: Values, present: Present) -> Values:
    return np.asarray(np.where(present, values, 0.0).sum(axis=0))


def _count(_: Values, present: Present) -> Values:
    return np.asarray(present.sum(axis=0), dtype=np.float64)


def _mean(values: Values, present: Present) -> Values:
    return _total(values, present) / np.maximum(_count(values, present), 1.0)


def _variance(values: Values, present: Present) -> Values:
    return _total((values - _mean(values, present)) ** 2, present) / np.maximum(_count(values, present), 1.0)


_COMBINATIONS: dict[str, Callable[[Values, Present], Values]] = {
    "sum": _total,
    "count": _count,
    "avg": _mean,
    "min": lambda values, present: np.asarray(np.where(present, values, np.inf).min(axis=0)),
    "max": lambda values, present: np.asarray(np.where(present, values, -np.inf).max(axis=0)),
    "stdvar": _variance,
    "stddev": lambda values, present: np.sqrt(_variance(values, present)),
}


def _ranked(frame: Frame, groups: Iterable[list[int]], count: int, *, is_top: bool) -> Frame:
    kept = np.zeros_like(frame.present)
    for members in groups:
        for step in range(frame.values.shape[1]):
            rows = [row for row in members if frame.present[row, step]]
            rows.sort(key=lambda row: frame.values[row, step], reverse=is_top)
            kept[rows[:count], step] = True
    return Frame.of([(labels, values, kept[row]) for row, (labels, values, _) in enumerate(frame.rows())], frame.values.shape[1])


def _sorted(frame: Frame, *, is_descending: bool) -> Frame:
    rows = sorted(frame.rows(), key=lambda row: row[1][-1], reverse=is_descending)
    return Frame.of(rows, frame.values.shape[1])
