"""Aggregations that choose among series or their values: ``topk``, ``bottomk`` and ``count_values``."""

from __future__ import annotations

import math

import numpy as np

from otelkit_stack.go_text import general, plain
from otelkit_stack.promql.arrays import Booleans, Floats, Integers
from otelkit_stack.promql.errors import EvaluationError
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.groups import Groups, grouped
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.selection_heap import chosen_by_heap


def ranked(frame: Frame, groups: Groups, sizes: Floats, *, is_top: bool) -> Frame:
    """The ``k`` series of each group with the largest (or smallest) values; ``k`` may differ from step to step.

    At a single step the rows come best first. Raises EvaluationError for a ``k`` that is no number that counts.
    """
    if sizes.max(initial=-math.inf) < 1:
        return Frame.empty(frame.steps)
    _check(sizes)
    keep = np.zeros(frame.present.shape, dtype=np.bool_)
    order: list[int] = []
    for rows in groups.rows_by_group():
        for step in np.flatnonzero(frame.present[rows].any(axis=0)):
            limit = int(min(sizes[step], len(frame.labels)))
            if limit < 1:
                continue
            there = rows[frame.present[rows, step]]
            values = frame.values[there, step]
            # A range's rows are sorted by their labels in the end; only a single step shows the order of equal values.
            best = chosen_by_heap(values, limit, is_top=is_top) if frame.steps == 1 else _best(values, limit, is_top=is_top)
            keep[there[best], step] = True
            if frame.steps == 1:
                order.extend(there[best])
    kept = frame.masked(keep)
    return kept.rows(order) if frame.steps == 1 else kept.inhabited()


def _check(sizes: Floats) -> None:
    if np.isnan(sizes).any():
        raise EvaluationError("Parameter value is NaN")
    if sizes.min() <= -(2.0**63):
        raise EvaluationError(f"Scalar value {general(float(sizes.min()))} underflows int64")
    if sizes.max() >= 2.0**63:
        raise EvaluationError(f"Scalar value {general(float(sizes.max()))} overflows int64")


def _best(values: Floats, limit: int, *, is_top: bool) -> Integers:
    """Indices of the best values in any order; NaN is worse than everything."""
    if limit >= values.size:
        return np.arange(values.size)
    badness = np.where(np.isnan(values), np.inf, -values if is_top else values)
    ranking = np.argpartition(badness, (limit - 1, limit))
    if badness[ranking[limit - 1]] == badness[ranking[limit]]:
        # Which of several equal series stay depends on how Prometheus goes through them.
        return chosen_by_heap(values, limit, is_top=is_top)
    return ranking[:limit]


def value_counts(frame: Frame, names: tuple[str, ...], label: str, *, is_without: bool) -> Frame:
    """How many series of each group have each value, the value being a label."""
    rows, steps = np.nonzero(frame.present)
    distinct, kind = np.unique(frame.values[rows, steps].view(np.int64), return_inverse=True)
    # Equal texts are equal values: NaN has many bit patterns.
    texts = [plain(float(value)) for value in distinct.view(np.float64)]
    numbers: dict[tuple[Labels, str], int] = {}
    labels: list[Labels] = []
    targets = np.empty(rows.size, dtype=np.int64)
    base = grouped(frame, tuple(name for name in names if name != label), is_without=is_without)
    keeps_value = not is_without or label not in names
    known: dict[tuple[int, int], int] = {}
    for index, (row, value) in enumerate(zip(rows.tolist(), kind.tolist(), strict=True)):
        key = (int(base.group_of[row]), value)
        target = known.get(key)
        if target is None:
            its_labels = base.labels[key[0]].replace(label, texts[value] if keeps_value else "")
            target = known[key] = numbers.setdefault((its_labels, texts[value] if keeps_value else ""), len(numbers))
            if target == len(labels):
                labels.append(its_labels)
        targets[index] = target
    counts = np.zeros((len(labels), frame.steps))
    np.add.at(counts, (targets, steps), 1.0)
    present: Booleans = counts > 0
    return Frame.of(labels, counts, present)
