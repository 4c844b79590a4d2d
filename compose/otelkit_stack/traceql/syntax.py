"""A TraceQL query as a tree. ``str`` of a node is how Tempo writes it: labels of numbers over time are named that way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from otelkit_stack.traceql.values import Duration, Value, text_of

Scope = Literal["", "span", "resource", "event", "link", "instrumentation", "intrinsic"]

_PLAIN_NAME = re.compile(r"""[^\s{}()=~!<>&|^,"\\]+""")


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a span has by that name; an intrinsic is named as Tempo names it, however the query spelled it."""

    scope: Scope
    name: str

    def __str__(self) -> str:
        if self.scope == "intrinsic":
            return self.name
        return f"{self.scope}.{self.name if _PLAIN_NAME.fullmatch(self.name) else json.dumps(self.name, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Static:
    """A value that stands in the query."""

    value: Value

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return f"`{self.value}`"
        return text_of(self.value)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-`` of a number, ``!`` of a condition."""

    operator: Literal["-", "!"]
    operand: Field

    def __str__(self) -> str:
        return f"{self.operator}{_wrapped(self.operand)}"


@dataclass(frozen=True, slots=True)
class Exists:
    """``x != nil``, and with ``negated`` ``x = nil``."""

    operand: Field
    negated: bool

    def __str__(self) -> str:
        return f"{_wrapped(self.operand)} {'=' if self.negated else '!='} nil"


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, or arithmetic."""

    operator: str
    left: Field
    right: Field

    def __str__(self) -> str:
        return f"{_wrapped(self.left)} {self.operator} {_wrapped(self.right)}"


@dataclass(frozen=True, slots=True)
class Logic:
    """Conditions that must all hold, or of which one must."""

    operator: str
    parts: tuple[Field, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(map(_wrapped, self.parts))


Field = Attribute | Static | Unary | Exists | Binary | Logic


def _wrapped(expression: Field) -> str:
    return f"({expression})" if isinstance(expression, Unary | Exists | Binary | Logic) else str(expression)


@dataclass(frozen=True, slots=True)
class Filter:
    """``{ ... }``: the spans for which the condition holds."""

    condition: Field

    def __str__(self) -> str:
        return f"{{ {self.condition} }}"


@dataclass(frozen=True, slots=True)
class SpansetOperation:
    """Two sets of spans of one trace: both, either, or those of the right that stand in a relation to one of the left."""

    operator: str
    left: Spansets
    right: Spansets


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number of a set of spans: ``count()``, or ``avg``, ``max``, ``min``, ``sum`` of an expression."""

    function: str
    operand: Field | None

    def __str__(self) -> str:
        return f"{self.function}({'' if self.operand is None else self.operand})"


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    """Keeps the sets of spans whose number compares so."""

    operator: str
    aggregate: Aggregate
    value: int | float | Duration


@dataclass(frozen=True, slots=True)
class Group:
    """``by(...)``: a set for each value."""

    by: Field

    def __str__(self) -> str:
        return f"by({self.by})"


@dataclass(frozen=True, slots=True)
class Coalesce:
    """All sets as one again."""


@dataclass(frozen=True, slots=True)
class Select:
    """Attributes to show."""

    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages, one after the other."""

    stages: tuple[Stage, ...]


Spansets = Filter | SpansetOperation | Pipeline
Stage = Spansets | ScalarFilter | Group | Coalesce | Select


@dataclass(frozen=True, slots=True)
class MetricsAggregation:
    """Numbers over time made of the spans that came through."""

    function: str
    attribute: Attribute | None = None
    parameters: tuple[float, ...] = ()
    by: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """``compare``: how often each value of each attribute occurs among the spans that meet the condition, and among the others."""

    selection: Filter
    most_values: int = 10
    start_ns: int = 0
    end_ns: int = 0
    """Where they are given, only spans that started between are selected."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """``topk`` or ``bottomk``: at each moment the largest or smallest."""

    function: Literal["topk", "bottomk"]
    limit: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Keeps the numbers that compare so."""

    operator: str
    value: float


@dataclass(frozen=True, slots=True)
class MetricsPipeline:
    """Numbers over time of the spans that come through, and what is done with those numbers."""

    pipeline: Pipeline
    aggregation: MetricsAggregation | Comparison
    second: tuple[Ranked | Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricsOperation:
    """Arithmetic of numbers over time, series by series."""

    operator: str
    left: Metrics
    right: Metrics
    second: tuple[Ranked | Threshold, ...] = ()


Metrics = MetricsPipeline | MetricsOperation


@dataclass(frozen=True, slots=True)
class Query:
    """A search, or numbers over time."""

    body: Pipeline | Metrics
    hints: dict[str, Value] = field(default_factory=dict)
    """What ``with(...)`` says. Answers here are exact and begin with the newest, which is all that Tempo's hints ask for."""


def children(node: object) -> Iterator[object]:
    """What is directly below a node."""
    match node:
        case Pipeline(stages):
            yield from stages
        case SpansetOperation(_, left, right) | Binary(_, left, right) | MetricsOperation(_, left, right):
            yield from (left, right)
        case Comparison(selection):
            yield selection
        case Filter(inner) | Group(inner) | Unary(_, inner) | Exists(inner) | Aggregate(_, inner):
            yield inner
        case ScalarFilter(_, aggregate):
            yield aggregate
        case MetricsPipeline(pipeline, aggregation):
            yield from (pipeline, aggregation)
        case MetricsAggregation(_, attribute, _, by):
            yield from (*(() if attribute is None else (attribute,)), *by)
        case Select(attributes):
            yield from attributes
        case Logic(_, parts):
            yield from parts


def attributes_of(node: object) -> Iterator[Attribute]:
    """Every attribute below a node, from left to right."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Attribute):
            yield node
        waiting.extend(reversed([*children(node)]))
