"""Conditions and arithmetic of one span, as functions made once for a query."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.lookup import Lookup, lookup_of
from otelkit_stack.traceql.operators import applied
from otelkit_stack.traceql.patterns import pattern
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.values import Test, negative


def evaluator(expression: s.Field) -> Lookup:
    """What computes the expression for a span. None is nil: the span has not what it needs."""
    match expression:
        case s.Static(value):
            return lambda _span: value
        case s.Attribute():
            return lookup_of(expression)
        case s.Exists(operand, negated):
            inner = evaluator(operand)
            return lambda span: (inner(span) is None) is negated
        case s.Unary("-", operand):
            inner = evaluator(operand)
            return lambda span: negative(inner(span))
        case s.Unary(_, operand):
            inner = evaluator(operand)
            return lambda span: inner(span) is False
        case s.Logic(operator, parts):
            return _logic(operator == "&&", tuple(map(evaluator, parts)))
        case s.Binary(operator, left, right):
            return _binary(operator, evaluator(_padded(left, right)), evaluator(_padded(right, left)), test_of(expression))


def holds(condition: s.Field) -> Callable[[Span], bool]:
    """What tells whether the condition holds for a span."""
    inner = evaluator(condition)
    return lambda span: inner(span) is True


def _logic(is_and: bool, parts: tuple[Lookup, ...]) -> Lookup:
    if is_and:
        return lambda span: all(part(span) is True for part in parts)
    return lambda span: any(part(span) is True for part in parts)


def _binary(operator: str, left: Lookup, right: Lookup, test: Test | None) -> Lookup:
    return lambda span: applied(operator, left(span), right(span), test)


def _padded(side: s.Field, other: s.Field) -> s.Field:
    """An id of a trace as it is compared, however many zeros it was written with."""
    if isinstance(side, s.Static) and isinstance(side.value, str) and other == s.Attribute("intrinsic", "trace:id"):
        return s.Static(side.value.lower().lstrip("0"))
    return side


def test_of(expression: s.Binary) -> Test | None:
    """Of ``=~`` and ``!~``: whether a text matches the expression as a whole. Spans repeat their texts, so answers are kept a while."""
    if expression.operator not in ("=~", "!~") or not isinstance(expression.right, s.Static):
        return None
    matches = pattern(str(expression.right.value)).fullmatch
    return lru_cache(maxsize=1024)(lambda text: matches(str(text)) is not None)
