"""Functions of one value at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.promql.arrays import Floats

ELEMENTWISE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "sgn": lambda values: np.where(values == 0, values, np.sign(values)),
    "sqrt": np.sqrt,
    "deg": lambda values: values * 180 / np.pi,
    "rad": lambda values: values * np.pi / 180,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
"""Functions that take a vector and nothing else."""


def rounded(values: Floats, nearest: Floats) -> Floats:
    """The closest multiple; halves go up."""
    inverse = 1.0 / nearest
    return np.floor(values * inverse + 0.5) / inverse


def clamped(values: Floats, least: Floats, most: Floats) -> Floats:
    """No less and no more than the limits; NaN if one of the three is NaN."""
    # As in Go, infinity wins over NaN.
    capped = np.where((most == -np.inf) | (values == -np.inf), -np.inf, np.minimum(most, values))
    return np.where((least == np.inf) | (capped == np.inf), np.inf, np.maximum(least, capped))
