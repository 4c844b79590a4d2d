"""Walking through a query's tree."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit_stack.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Fixed,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)


def selectors_of(expression: Expression) -> Iterator[VectorSelector]:
    """Every selector of series in it, from left to right."""
    match expression:
        case VectorSelector():
            yield expression
        case MatrixSelector(selector):
            yield selector
        case Subquery(inner) | Unary(_, inner) | Paren(inner) | Fixed(inner):
            yield from selectors_of(inner)
        case Aggregate(_, inner, parameter):
            if parameter is not None:
                yield from selectors_of(parameter)
            yield from selectors_of(inner)
        case Call(_, arguments):
            for argument in arguments:
                yield from selectors_of(argument)
        case Binary(_, left, right):
            yield from selectors_of(left)
            yield from selectors_of(right)
