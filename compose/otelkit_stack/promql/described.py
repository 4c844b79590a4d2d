"""A query's tree as JSON, as Prometheus' ``parse_query`` gives it to editors.

Source: ``translateAST`` in ``web/api/v1/translate_ast.go`` of Prometheus 3.14.
"""

from __future__ import annotations

import math
from typing import Any

from otelkit_stack.go_text import plain
from otelkit_stack.promql.durations import MILLISECOND
from otelkit_stack.promql.errors import BadParameterError
from otelkit_stack.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    DurationTerm,
    Expression,
    Fixed,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
    type_of,
)

Json = dict[str, Any]


def described(expression: Expression) -> Json:
    """The tree. Raises BadParameterError for arithmetic with durations, whose numbers and durations are one here."""
    match expression:
        case Number(value):
            return {"type": "numberLiteral", "val": plain(value)}
        case String(value):
            return {"type": "stringLiteral", "val": value}
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(expression)}
        case MatrixSelector(selector, length):
            return {"type": "matrixSelector", **_selector(selector), "range": _milliseconds(length), "rangeExpr": None}
        case Subquery(inner, length, step, offset, at):
            lengths = {"range": _milliseconds(length), "step": _milliseconds(step or 0), "rangeExpr": None, "stepExpr": None}
            return {"type": "subquery", "expr": described(inner), **lengths, **_moved(offset, at)}
        case Call(function, arguments):
            signature = {
                "name": function.name,
                "argTypes": [*function.takes],
                "variadic": function.optional,
                "returnType": function.gives,
            }
            return {"type": "call", "func": signature, "args": [described(argument) for argument in arguments]}
        case Aggregate(operator, inner, parameter, labels, is_without):
            return {
                "type": "aggregation",
                "op": operator,
                "expr": described(inner),
                "param": None if parameter is None else described(parameter),
                "grouping": [*labels],
                "without": is_without,
            }
        case Unary(operator, inner):
            return {"type": "unaryExpr", "op": operator, "expr": described(inner)}
        case Paren(inner):
            return {"type": "parenExpr", "expr": described(inner)}
        case Fixed(inner):
            return described(inner)
        case Binary(operator, left, right, is_bool):
            sides = {"lhs": described(left), "rhs": described(right)}
            return {"type": "binaryExpr", "op": operator, **sides, "matching": _matching(expression), "bool": is_bool}


def _selector(selector: VectorSelector) -> Json:
    matchers = [{"name": matcher.name, "type": matcher.operator, "value": matcher.value} for matcher in selector.matchers]
    extended = {"anchored": False, "smoothed": False}  # of an experiment in Prometheus that is none here
    return {"name": selector.name, "matchers": matchers, **_moved(selector.offset, selector.at), **extended}


def _moved(offset: Duration, at: At) -> Json:
    moment = {"timestamp": at if isinstance(at, int) else None, "startOrEnd": at if isinstance(at, str) else None}
    return {"offset": _milliseconds(offset), "offsetExpr": None, **moment}


def _matching(binary: Binary) -> Json | None:
    if "scalar" in (type_of(binary.left), type_of(binary.right)):
        return None
    matching = binary.matching
    return {
        "card": matching.cardinality,
        "labels": [*matching.labels],
        "on": matching.is_on,
        "include": [*matching.include],
        "fillValues": {"lhs": None, "rhs": None},
    }


def _milliseconds(duration: Duration) -> int:
    if isinstance(duration, DurationTerm):
        raise BadParameterError('invalid parameter "query": arithmetic with durations has no tree here; write the duration as one')
    return math.trunc(duration / MILLISECOND)
