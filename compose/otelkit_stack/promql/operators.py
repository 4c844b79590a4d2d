"""What binary operators do with two numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats

_Arithmetic = Callable[[Floats, Floats], Floats]
_Comparison = Callable[[Floats, Floats], Booleans]

ARITHMETIC: dict[str, _Arithmetic] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, _Comparison] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
HISTOGRAM_ONLY = frozenset(("</", ">/"))
"""Operators that trim native histograms, and give nothing for numbers."""


def combined(operator: str, left: Floats, right: Floats) -> tuple[Floats, Booleans]:
    """The result, and where there is one: a comparison keeps its left side where it is true."""
    if operator in COMPARISON:
        kept = COMPARISON[operator](left, right)
        return np.broadcast_to(left, kept.shape), kept
    if operator in HISTOGRAM_ONLY:
        nothing = np.zeros(np.broadcast_shapes(left.shape, right.shape))
        return nothing, nothing.astype(np.bool_)
    result = ARITHMETIC[operator](left, right)
    return result, np.ones(result.shape, dtype=np.bool_)
