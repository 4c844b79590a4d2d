"""Sums that remember what rounding took from them.

Prometheus adds with Neumaier's variant of Kahan's algorithm, and results that cancel depend on it; so ours does the same, in the
same order, for many sums at once. Where the next term does not exist, 0 is added, which changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats


def add(total: Floats, lost: Floats, term: Floats) -> tuple[Floats, Floats]:
    """``total + term``, and ``lost`` plus what that addition rounded away."""
    new_total = total + term
    return new_total, np.where(np.isinf(new_total), 0.0, lost + _rounded_away(total, term, new_total))


def add_up(terms: Floats) -> tuple[Floats, Floats]:
    """Sums along the first axis, one term after the other, and what their additions rounded away."""
    if not len(terms):
        nothing = np.zeros(terms.shape[1:])
        return nothing, nothing
    totals = np.add.accumulate(terms, axis=0)
    lost = _rounded_away(totals[:-1], terms[1:], totals[1:])
    all_lost = np.add.accumulate(lost, axis=0)[-1] if len(lost) else np.zeros(terms.shape[1:])
    return totals[-1], np.where(np.isinf(totals[-1]), 0.0, all_lost)


def _rounded_away(first: Floats, second: Floats, total: Floats) -> Floats:
    # Knuth's two-sum finds the same exact error as Neumaier's comparison of magnitudes, without a branch.
    taken = total - first
    return (first - (total - taken)) + (second - taken)


def incremental_mean(values: Iterable[float]) -> float:
    """The mean of finite numbers whose sum is too large for a float."""
    total = mean = lost = 0.0
    is_incremental = False
    for count, value in enumerate(values, start=1):
        if not is_incremental:
            new_total, new_lost = _add(total, lost, value)
            if not math.isinf(new_total):
                total, lost = new_total, new_lost
                continue
            is_incremental = True
            mean = total / (count - 1)
            lost /= count - 1
        share = (count - 1) / count
        mean, lost = _add(share * mean, share * lost, value / count)
    return mean + lost


def variances(values: Floats, is_member: Booleans) -> Floats:
    """The variance of each column's members, by Welford's method."""
    mean, mean_lost, squares, squares_lost = (np.zeros(values.shape[1]) for _ in range(4))
    counts = np.maximum(is_member.sum(axis=0), 1)
    for number, (value, there) in enumerate(zip(values, is_member, strict=True), start=1):
        distance = np.where(there, value - (mean + mean_lost), 0.0)
        mean, mean_lost = add(mean, mean_lost, distance / number)
        product = np.where(there, distance * (value - (mean + mean_lost)), 0.0)
        squares, squares_lost = add(squares, squares_lost, product)
    result: Floats = (squares + squares_lost) / counts
    return result


def variance_of(values: Sequence[float]) -> float:
    """The variance of some numbers, in the same steps."""
    mean = mean_lost = squares = squares_lost = 0.0
    for number, value in enumerate(values, start=1):
        distance = value - (mean + mean_lost)
        mean, mean_lost = _add(mean, mean_lost, distance / number)
        squares, squares_lost = _add(squares, squares_lost, distance * (value - (mean + mean_lost)))
    return (squares + squares_lost) / max(1, len(values))


def _add(total: float, lost: float, term: float) -> tuple[float, float]:
    new_total = total + term
    taken = new_total - total
    return new_total, 0.0 if math.isinf(new_total) else lost + ((total - (new_total - taken)) + (term - taken))
