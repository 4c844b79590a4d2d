"""Sums that remember what rounding took from them.

Prometheus adds with Neumaier's variant of Kahan's algorithm; results that cancel depend on it, so ours does the same,
in the same order, for many sums at once. Where the next term does not exist, 0 is added, which changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from otelkit_stack.promql.arrays import Floats


def add(total: Floats, lost: Floats, term: Floats) -> tuple[Floats, Floats]:
    """``total + term``, and ``lost`` plus what that addition rounded away."""
    # Knuth's two-sum finds the same exact error as Neumaier's comparison of magnitudes, without a branch.
    new_total = total + term
    taken = new_total - total
    error = (total - (new_total - taken)) + (term - taken)
    return new_total, np.where(np.isinf(new_total), 0.0, lost + error)


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


def _add(total: float, lost: float, term: float) -> tuple[float, float]:
    new_total, new_lost = add(np.float64(total), np.float64(lost), np.float64(term))  # type: ignore[arg-type]  # arrays without dimensions
    return float(new_total), float(new_lost)
