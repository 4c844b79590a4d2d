"""A LogQL query as a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from otelkit_stack.logql.filters import LabelFilter
from otelkit_stack.logql.stages.stage import Stage
from otelkit_stack.selectors.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Which label holds the number of a line; ``conversion`` reads ``5s`` or ``3MB``."""

    label: str
    conversion: Literal["", "duration", "duration_seconds", "bytes"] = ""
    after: tuple[LabelFilter, ...] = ()
    """Filters behind it, such as ``__error__=""``."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Lines: the streams that fit every matcher, each line through every stage."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by`` keeps the labels it names, ``without`` all others."""

    is_by: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """A number made of the lines of a window; ``window_ns`` and ``offset_ns`` in nanoseconds."""

    function: str
    query: LogQuery
    window_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None
    parameter: float | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """One series made of several."""

    function: str
    inner: Metric
    grouping: Grouping | None = None
    parameter: int | None = None


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class VectorLiteral:
    """``vector(5)``: a series without labels."""

    value: float


@dataclass(frozen=True, slots=True)
class LabelReplace:
    """``label_replace``, as PromQL has it."""

    inner: Metric
    destination: str
    replacement: str
    source: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of an operator find one another."""

    is_on: bool = False
    labels: tuple[str, ...] = ()
    group: Literal["", "group_left", "group_right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two metrics."""

    operator: str
    left: Metric
    right: Metric
    matching: Matching = field(default_factory=Matching)
    returns_bool: bool = False


Metric = RangeAggregation | VectorAggregation | NumberLiteral | VectorLiteral | LabelReplace | Binary
Query = LogQuery | Metric
