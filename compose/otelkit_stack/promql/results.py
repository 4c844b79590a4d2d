"""Answers of queries."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit_stack.promql.arrays import Floats, Integers
from otelkit_stack.promql.labels import Labels


@dataclass(frozen=True, slots=True)
class VectorAnswer:
    """Each series' value at the time of the query."""

    time_ms: int
    samples: tuple[tuple[Labels, float], ...]


@dataclass(frozen=True, slots=True)
class MatrixAnswer:
    """Each series' values over time, ordered by labels."""

    series: tuple[tuple[Labels, Integers, Floats], ...]
    """Labels, milliseconds since the epoch, values."""


@dataclass(frozen=True, slots=True)
class ScalarAnswer:
    """A number."""

    time_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class StringAnswer:
    """A string."""

    time_ms: int
    value: str


Answer = VectorAnswer | MatrixAnswer | ScalarAnswer | StringAnswer


@dataclass(frozen=True, slots=True)
class Result:
    """A query's answer, and what is to be said beside it."""

    answer: Answer
    warnings: tuple[str, ...]
    infos: tuple[str, ...]
