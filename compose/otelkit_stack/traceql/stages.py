"""What may stand where in a pipeline. The grammar lets more through, because a parenthesis does not tell what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from lark import Token

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import NotSupportedError, ParseError
from otelkit_stack.traceql.values import Duration, Value


class PartKind(Enum):
    """What a part of a pipeline gives."""

    SPANSETS = "sets of spans"
    SCALAR = "a number"
    STAGE = "a stage"
    AGGREGATION = "what makes numbers over time"
    METRICS = "numbers over time"
    SECOND = "a stage behind numbers over time"


SPANSETS, SCALAR, STAGE, AGGREGATION, METRICS, SECOND = PartKind

_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_OF_METRICS = frozenset({"+", "-", "*", "/"})
_OF_SPANSETS = frozenset({"&&", "||", ">", "<", ">>", "<<", "~", "!>", "!<", "!>>", "!<<", "!~", "&>", "&<", "&>>", "&<<", "&~"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part, and the word that began it."""

    kind: PartKind
    node: Any
    begins: Token
    second: tuple[s.Ranked | s.Threshold, ...] = ()
    """What was compared with numbers over time, before it is known which."""


def operation(left: Part, operator: Token, right: Part) -> Part:
    """Two parts and an operator between them. Raises TraceQLError."""
    kinds = left.kind, right.kind
    if kinds == (SPANSETS, SPANSETS) and operator in _OF_SPANSETS:
        return Part(SPANSETS, s.SpansetOperation(str(operator), left.node, right.node), left.begins)
    if kinds == (SCALAR, SCALAR) and operator in _ARITHMETIC:
        return Part(SCALAR, _Arithmetic(), left.begins)
    if kinds == (SCALAR, SCALAR) and operator in _COMPARISONS:
        if not isinstance(left.node, s.Aggregate) or not isinstance(right.node, int | float):
            raise NotSupportedError(f"a scalar filter other than an aggregate and a number at line {operator.line}, col {operator.column}")
        return Part(STAGE, s.ScalarFilter(str(operator), left.node, right.node), left.begins)
    if (
        left.kind in (AGGREGATION, METRICS, SECOND)
        and right.kind is SCALAR
        and operator in _COMPARISONS
        and isinstance(right.node, int | float)
    ):
        value = right.node / 1e9 if isinstance(right.node, Duration) else float(right.node)
        return replace(left, second=(*left.second, s.Threshold(str(operator), value)))
    if kinds == (METRICS, METRICS) and operator in _OF_METRICS:
        return Part(METRICS, s.MetricsOperation(str(operator), _finished(left), _finished(right)), left.begins)
    raise _unexpected(operator)


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """Arithmetic with numbers of sets, which Tempo parses and does not answer."""


def wrapped(opened: Token, inner: Part) -> Part:
    """A part in parentheses."""
    if inner.kind in (AGGREGATION, SECOND) or isinstance(inner.node, s.Coalesce):
        raise _unexpected(inner.begins)
    if inner.kind is STAGE:
        return Part(SPANSETS, s.Pipeline((inner.node,)), opened)
    return replace(inner, begins=opened)


def pipeline(parts: Sequence[Part]) -> Part:
    """Stages, one after the other; a single one is itself. Raises ParseError for one that may not stand there."""
    if len(parts) == 1:
        return parts[0]
    stages: list[s.Stage] = []
    numbers: s.Metrics | None = None
    for place, part in enumerate(parts):
        is_last = place == len(parts) - 1
        if numbers is not None:
            if part.kind is not SECOND:
                raise _unexpected(part.begins)
            numbers = replace(numbers, second=(*numbers.second, part.node, *part.second))
        elif part.kind is AGGREGATION and place:
            numbers = s.MetricsPipeline(s.Pipeline(tuple(stages)), part.node, part.second)
        elif part.kind is METRICS and not place:
            numbers = _finished(part)
        elif part.kind in (SPANSETS, STAGE) and (place or not isinstance(part.node, s.Coalesce)):
            stages.append(part.node)
        elif part.kind is SCALAR and is_last and isinstance(part.node, s.Aggregate):
            return Part(SCALAR, s.Pipeline(tuple(stages)), part.begins)
        else:
            raise _unexpected(part.begins)
    return Part(SPANSETS, s.Pipeline(tuple(stages)), parts[0].begins) if numbers is None else Part(METRICS, numbers, parts[0].begins)


def _finished(part: Part) -> s.Metrics:
    numbers: s.Metrics = part.node
    return replace(numbers, second=(*numbers.second, *part.second))


def query(part: Part, hints: dict[str, Value]) -> s.Query:
    """The whole query. Raises ParseError for one that gives neither spans nor numbers over time."""
    if part.kind is METRICS:
        return s.Query(_finished(part), hints)
    if part.kind is SPANSETS or (part.kind is STAGE and not isinstance(part.node, s.Coalesce)):
        return s.Query(part.node if isinstance(part.node, s.Pipeline) else s.Pipeline((part.node,)), hints)
    if part.kind is SCALAR:
        raise ParseError("syntax error: a number of spans must be compared with another, as in count() > 2", *_place(part.begins))
    raise _unexpected(part.begins)


def _unexpected(token: Token) -> ParseError:
    return ParseError(f"syntax error: unexpected {token}", *_place(token))


def _place(token: Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1
