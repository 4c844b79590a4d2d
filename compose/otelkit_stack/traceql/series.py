"""Series of numbers over time, and what is done with them: the largest at each moment, thresholds, arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.operators import applied
from otelkit_stack.traceql.values import Value, text_of

Labels = tuple[tuple[str, Value], ...]
NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One span of a series, so that its trace can be opened; ``value`` is None where the series' own is meant."""

    labels: Labels
    value: float | None
    time_ns: int


@dataclass(frozen=True, slots=True)
class Series:
    """A number at each step; NaN where there is none."""

    labels: Labels
    values: Sequence[float]
    exemplars: tuple[Exemplar, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Sorts series as they are shown."""
        return tuple(f"{name}={text_of(value)}" for name, value in self.labels)


def processed(series: list[Series], stages: Sequence[s.Ranked | s.Threshold]) -> list[Series]:
    """The series behind each of the stages; one without a number is gone."""
    for stage in stages:
        series = _ranked(series, stage) if isinstance(stage, s.Ranked) else [_compared(one, stage) for one in series]
    return sorted((one for one in series if not all(map(math.isnan, one.values))), key=lambda one: one.order)


def _ranked(series: list[Series], stage: s.Ranked) -> list[Series]:
    """At each step the ``limit`` largest or smallest; of equal ones those that come first by their labels."""
    series = sorted(series, key=lambda one: one.order)
    kept = [[math.nan] * len(one.values) for one in series]
    for place in range(max((len(one.values) for one in series), default=0)):
        present = [number for number, one in enumerate(series) if not math.isnan(one.values[place])]
        present.sort(key=lambda number: series[number].values[place], reverse=stage.function == "topk")
        for number in present[: stage.limit]:
            kept[number][place] = series[number].values[place]
    return [replace(one, values=values) for one, values in zip(series, kept, strict=True)]


def _compared(series: Series, stage: s.Threshold) -> Series:
    def kept(value: float) -> float:
        return value if not math.isnan(value) and applied(stage.operator, value, stage.value) is True else math.nan

    return replace(series, values=[kept(value) for value in series.values])


def combined(operator: str, left: list[Series], right: list[Series]) -> list[Series]:
    """Each series of one side with that of the same labels of the other, or with the only one that has none."""
    sides = [{_key(one.labels): one for one in side} for side in (left, right)]
    lefts, rights = sides
    keys = lefts if () in rights else rights
    pairs = ((lefts.get(key) or lefts.get(()), rights.get(key) or rights.get(())) for key in keys)
    return [_pair(operator, one, other) for one, other in pairs if one is not None and other is not None]


def _key(labels: Labels) -> Labels:
    return tuple((name, value) for name, value in labels if name != NAME)


def _pair(operator: str, left: Series, right: Series) -> Series:
    names = [text_of(dict(one.labels)[NAME]) for one in (left, right) if NAME in dict(one.labels)]
    labels: dict[str, Value] = {NAME: f"({names[0]} {operator} {names[1]})"} if len(names) == 2 else {}
    labels |= dict(_key(left.labels)) | dict(_key(right.labels))
    values = [_number(operator, one, other) for one, other in zip_longest(left.values, right.values, fillvalue=math.nan)]
    return Series(tuple(labels.items()), values, (*left.exemplars, *right.exemplars))


def _number(operator: str, left: float, right: float) -> float:
    left, right = (0.0 if math.isnan(value) else value for value in (left, right))
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right if right else math.nan
