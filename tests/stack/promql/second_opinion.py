"""The same query as two parsers understand it, in one shape that can be compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import promql_parser as other

from otelkit_stack.promql.durations import MILLISECOND
from otelkit_stack.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Fixed,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def ours(node: Expression) -> tuple[Any, ...]:
    """What our parser understood."""
    match node:
        case Number(value):
            return ("number", str(value))
        case String(value):
            return ("string", value)
        case VectorSelector(_, matchers, _, offset, at):
            return ("vector", sorted((one.name, one.operator, one.value) for one in matchers), offset, at)
        case MatrixSelector(selector, length):
            return ("matrix", ours(selector), length)
        case Subquery(inner, length, step, offset, at):
            return ("subquery", ours(inner), length, step, offset, at)
        case Call(function, arguments):
            return ("call", function.name, [ours(argument) for argument in arguments])
        case Aggregate(operator, inner, parameter, labels, is_without):
            grouping = sorted(labels)
            return ("aggregate", operator, ours(inner), parameter and ours(parameter), grouping, is_without)
        case Unary(operator, inner):
            return ("minus", ours(inner)) if operator == "-" else ours(inner)
        case Paren(inner) | Fixed(inner):
            return ours(inner)
        case Binary(operator, left, right, is_bool, matching):
            on = sorted(matching.labels)
            return (
                "binary",
                operator,
                ours(left),
                ours(right),
                is_bool,
                matching.cardinality,
                on,
                matching.is_on,
                sorted(matching.include),
            )


def theirs(node: Any) -> tuple[Any, ...]:
    """What promql-parser understood."""
    match node:
        case other.NumberLiteral():
            return ("number", str(node.val))
        case other.StringLiteral():
            return ("string", node.val)
        case other.VectorSelector():
            matchers = [(one.name, _OPERATORS[str(one.op).rpartition(".")[2]], one.value) for one in node.matchers.matchers]
            name = [("__name__", "=", node.name)] if node.name else []
            return ("vector", sorted(matchers + name), _ns(node.offset) or 0, _at(node.at))
        case other.MatrixSelector():
            return ("matrix", theirs(node.vector_selector), _ns(node.range))
        case other.SubqueryExpr():
            return ("subquery", theirs(node.expr), _ns(node.range), _ns(node.step), _ns(node.offset) or 0, _at(node.at))
        case other.Call():
            return ("call", node.func.name, [theirs(argument) for argument in node.args])
        case other.AggregateExpr():
            modifier = node.modifier
            is_without = modifier is not None and str(modifier.type).endswith("Without")
            grouping = sorted(modifier.labels) if modifier else []
            return ("aggregate", str(node.op), theirs(node.expr), node.param and theirs(node.param), grouping, is_without)
        case other.UnaryExpr():
            return ("minus", theirs(node.expr))
        case other.ParenExpr():
            return theirs(node.expr)
        case other.BinaryExpr():
            return _their_binary(node)
    raise TypeError(f"{node!r} is no node")


def _their_binary(node: Any) -> tuple[Any, ...]:
    modifier = node.modifier
    operator = str(node.op)
    cardinality = "many-to-many" if operator in ("and", "or", "unless") else "one-to-one"
    labels: list[str] = []
    include: list[str] = []
    is_on = is_bool = False
    if modifier is not None:
        words = {"OneToOne": "one-to-one", "ManyToOne": "many-to-one", "OneToMany": "one-to-many", "ManyToMany": "many-to-many"}
        cardinality = words[str(modifier.card).rpartition(".")[2]]
        labels, include = sorted(modifier.matching.labels) if modifier.matching else [], sorted(modifier.group_labels or [])
        is_on, is_bool = modifier.matching is not None and str(modifier.matching.type).endswith("Include"), modifier.return_bool
    return ("binary", operator, theirs(node.lhs), theirs(node.rhs), is_bool, cardinality, labels, is_on, include)


def _ns(length: timedelta | None) -> int | None:
    return None if length is None else round(length / timedelta(milliseconds=1)) * MILLISECOND


def _at(modifier: Any) -> int | str | None:
    if modifier is None:
        return None
    kind = str(modifier.type).rpartition(".")[2]
    return kind.lower() if kind in ("Start", "End") else round((modifier.at - _EPOCH) / timedelta(milliseconds=1))
