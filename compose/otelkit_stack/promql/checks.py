"""Whether the types in a query fit together."""

from __future__ import annotations

from otelkit_stack.go_text import quoted
from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.signatures import PARAMETER_TYPES, ValueType
from otelkit_stack.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
    type_of,
)
from otelkit_stack.promql.token_stream import TokenStream
from otelkit_stack.promql.tokens import COMPARISONS, SET_OPERATORS

_SPOKEN = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}


def check(expression: Expression, stream: TokenStream) -> None:
    """Complain about every place where something of another type was expected, in the order in which Prometheus looks."""
    match expression:
        case Aggregate():
            _expect(expression.expression, "vector", "aggregation expression", stream)
            if expression.parameter is not None:
                _expect(expression.parameter, PARAMETER_TYPES[expression.operator], "aggregation parameter", stream)
        case Binary():
            check(expression.left, stream)
            check(expression.right, stream)
            _check_binary(expression, stream)
        case Call():
            _check_call(expression, stream)
        case Paren(inner):
            check(inner, stream)
        case Unary(_, inner):
            check(inner, stream)
            kind = type_of(inner)
            if kind not in ("scalar", "vector"):
                reason = f"unary expression only allowed on expressions of type scalar or instant vector, got {quoted(_SPOKEN[kind])}"
                stream.complain(expression.start, reason)
        case Subquery(inner):
            check(inner, stream)
            if type_of(inner) != "vector":
                stream.complain(expression.start, f"subquery is only allowed on instant vector, got {type_of(inner)} instead")
        case MatrixSelector(selector):
            check(selector, stream)
        case VectorSelector():
            _check_selector(expression, stream)


def _expect(expression: Expression, kind: ValueType, context: str, stream: TokenStream) -> None:
    check(expression, stream)
    found = type_of(expression)
    if found != kind:
        stream.complain(expression.start, f"expected type {_SPOKEN[kind]} in {context}, got {_SPOKEN[found]}")


def _check_binary(binary: Binary, stream: TokenStream) -> None:
    left, right = type_of(binary.left), type_of(binary.right)
    operator, matching = binary.operator, binary.matching
    is_set = operator in SET_OPERATORS
    if binary.is_bool and operator not in COMPARISONS:
        stream.complain(binary.operator_start, "bool modifier can only be used on comparison operators")
    if operator in COMPARISONS and not binary.is_bool and left == right == "scalar":
        stream.complain(binary.operator_start, "comparisons between scalars must use BOOL modifier")
    for label in matching.labels:
        if matching.is_on and label in matching.include:
            stream.complain(binary.operator_start, f"label {quoted(label)} must not occur in ON and GROUP clause at once")
    for side in (binary.left, binary.right):
        if type_of(side) not in ("scalar", "vector"):
            stream.complain(side.start, "binary expression must contain only scalar and instant vector types")
    if left != "vector" or right != "vector":
        if matching.labels:
            stream.complain(binary.start, "vector matching only allowed between instant vectors")
    elif is_set and matching.cardinality != "many-to-many":
        stream.complain(binary.start, f"no grouping allowed for {quoted(operator)} operation")
    if is_set and "scalar" in (left, right):
        stream.complain(binary.start, f"set operator {quoted(operator)} not allowed in binary scalar expression")


def _check_call(call: Call, stream: TokenStream) -> None:
    function, arguments = call.function, call.arguments
    least = len(function.takes) - 1 if function.optional else len(function.takes)
    name = quoted(function.name)
    if not function.optional and len(arguments) != least:
        stream.complain(call.start, f"expected {least} argument(s) in call to {name}, got {len(arguments)}")
    elif len(arguments) < least:
        stream.complain(call.start, f"expected at least {least} argument(s) in call to {name}, got {len(arguments)}")
    elif function.optional > 0 and len(arguments) > least + function.optional:
        most = least + function.optional
        stream.complain(call.start, f"expected at most {most} argument(s) in call to {name}, got {len(arguments)}")
    for index, argument in enumerate(arguments):
        if index >= len(function.takes) and not function.optional:
            break
        check(argument, stream)
        kind, found = function.takes[min(index, len(function.takes) - 1)], type_of(argument)
        if found != kind:
            stream.complain(argument.start, f"expected type {_SPOKEN[kind]} in call to function {name}, got {_SPOKEN[found]}")


def _check_selector(selector: VectorSelector, stream: TokenStream) -> None:
    if selector.name:
        for matcher in selector.matchers[:-1]:
            if matcher.name == METRIC_NAME:
                names = f"{quoted(selector.name)} or {quoted(matcher.value)}"
                stream.complain(selector.start, f"metric name must not be set twice: {names}")
    elif all(matcher.matches("") for matcher in selector.matchers):
        stream.complain(selector.start, "vector selector must contain at least one non-empty matcher")
