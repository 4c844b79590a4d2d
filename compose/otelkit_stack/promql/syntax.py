"""A query as a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from otelkit_stack.promql.signatures import Signature, ValueType
from otelkit_stack.selectors.matchers import Matcher


@dataclass(frozen=True, slots=True)
class DurationTerm:
    """Arithmetic with lengths of time, such as ``5m * 2`` or ``step()``; a number is in seconds.

    ``operator`` is an arithmetic one, ``max_of``, ``min_of``, ``step`` or ``range``; a sign has no left side.
    """

    operator: str
    left: DurationTerm | float | None
    right: DurationTerm | float | None
    start: int
    end: int


Duration = int | DurationTerm
"""Nanoseconds, or what they are computed from once the query's step and range are known."""
At = int | Literal["start", "end"] | None
"""The ``@`` modifier: milliseconds since the epoch, or an end of the query's range."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    start: int


@dataclass(frozen=True, slots=True)
class String:
    value: str
    start: int


@dataclass(frozen=True, slots=True)
class VectorSelector:
    name: str
    matchers: tuple[Matcher, ...]
    """All of them, that of the name included."""
    start: int
    offset: Duration = 0
    at: At = None


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    selector: VectorSelector
    range: Duration

    @property
    def start(self) -> int:
        return self.selector.start


@dataclass(frozen=True, slots=True)
class Subquery:
    expression: Expression
    range: Duration
    step: Duration | None
    offset: Duration = 0
    at: At = None

    @property
    def start(self) -> int:
        return self.expression.start


@dataclass(frozen=True, slots=True)
class Call:
    function: Signature
    arguments: tuple[Expression, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    operator: str
    expression: Expression
    parameter: Expression | None
    labels: tuple[str, ...]
    is_without: bool
    start: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    expression: Expression
    start: int


@dataclass(frozen=True, slots=True)
class Paren:
    expression: Expression
    start: int


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of two sides find each other."""

    cardinality: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    labels: tuple[str, ...] = ()
    is_on: bool = False
    include: tuple[str, ...] = ()
    """Labels that the many side takes over from the one side."""


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Expression
    right: Expression
    is_bool: bool
    matching: Matching
    operator_start: int = field(compare=False)

    @property
    def start(self) -> int:
        return self.left.start


@dataclass(frozen=True, slots=True)
class Fixed:
    """What has the same value at every step, because ``@`` fixes its selectors."""

    expression: Expression

    @property
    def start(self) -> int:
        return self.expression.start


Expression = Number | String | VectorSelector | MatrixSelector | Subquery | Call | Aggregate | Unary | Paren | Binary | Fixed


def type_of(expression: Expression) -> ValueType:
    """What the expression evaluates to."""
    match expression:
        case Number():
            return "scalar"
        case String():
            return "string"
        case MatrixSelector() | Subquery():
            return "matrix"
        case Call(function):
            return function.gives
        case Unary(_, inner) | Paren(inner) | Fixed(inner):
            return type_of(inner)
        case Binary(_, left, right) if type_of(left) == type_of(right) == "scalar":
            return "scalar"
    return "vector"
