"""Which of equal values ``topk`` keeps: what Prometheus' heap of the best values leaves in the end."""

from __future__ import annotations

import math

import numpy as np

from otelkit_stack.promql.arrays import Floats, Integers


def chosen_by_heap(values: Floats, limit: int, *, is_top: bool) -> Integers:
    """Indices of ``limit`` values, the best first, going through them in order as Prometheus does."""
    badness = [-value if is_top else value for value in values.tolist()]
    heap: list[int] = []
    for index, value in enumerate(badness):
        if len(heap) < limit:
            heap.append(index)
            _sift_up(heap, badness)
        else:
            worst = badness[heap[0]]
            if worst > value or (math.isnan(worst) and not math.isnan(value)):
                heap[0] = index
                _sift_down(heap, badness)
    ranks = np.array([math.inf if math.isnan(badness[index]) else badness[index] for index in heap])
    return np.array(heap, dtype=np.int64)[np.argsort(ranks, kind="stable")]


def _is_worse(first: float, second: float) -> bool:
    return math.isnan(first) or first > second


def _sift_up(heap: list[int], badness: list[float]) -> None:
    at = len(heap) - 1
    while at and _is_worse(badness[heap[at]], badness[heap[parent := (at - 1) // 2]]):
        heap[at], heap[parent] = heap[parent], heap[at]
        at = parent


def _sift_down(heap: list[int], badness: list[float]) -> None:
    at = 0
    while (child := 2 * at + 1) < len(heap):
        if child + 1 < len(heap) and _is_worse(badness[heap[child + 1]], badness[heap[child]]):
            child += 1
        if not _is_worse(badness[heap[child]], badness[heap[at]]):
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child
