"""PromQL's grammar: from text to tree.

Our own parser, because an answer needs what a tree alone does not tell: where in the query an annotation belongs, and what
is wrong with a query in the words that Prometheus' clients know. The tests hold it against ``promql-parser`` and a real Prometheus.
"""

from __future__ import annotations

from typing import Literal

from otelkit_stack.go_strings import unquoted
from otelkit_stack.go_text import quoted
from otelkit_stack.promql.checks import check
from otelkit_stack.promql.errors import ParseError
from otelkit_stack.promql.labels import is_label_name
from otelkit_stack.promql.selector_grammar import read_at_modifier, read_brackets, read_offset_modifier, read_selector
from otelkit_stack.promql.signatures import EXPERIMENTAL_AGGREGATORS, PARAMETER_TYPES, SIGNATURES, Signature
from otelkit_stack.promql.syntax import Aggregate, Binary, Call, Expression, Matching, Number, Paren, String, Unary
from otelkit_stack.promql.token_stream import TokenStream
from otelkit_stack.promql.tokens import AGGREGATORS, COMPARISONS, DURATION_WORDS, METRIC_WORDS, SET_OPERATORS, Token

_PRECEDENCE = {"or": 1, "and": 2, "unless": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6}
_PRECEDENCE |= dict.fromkeys([*COMPARISONS, "</", ">/"], 3)
_SIGN = 5
_CALLABLE_WORDS = DURATION_WORDS | {"start", "end"}


def parse(query: str) -> Expression:
    """The query's tree, its types checked. Raises ParseError, of which NotEnabledError is one kind."""
    stream = TokenStream(query)
    try:
        expression = _read(stream)
        if not stream.complaints:
            check(expression, stream)
    except RecursionError:
        raise ParseError("1:1", "the expression is nested too deeply") from None
    if stream.complaints:
        raise stream.complaints[0]
    return expression


def _read(stream: TokenStream) -> Expression:
    if stream.peek().kind == "end of input":
        raise ParseError("1:1" if stream.query else "unknown position", "no expression found in input")
    try:
        expression = _expression(stream, 1)
        stream.expect("end of input")
    except ParseError:
        # What was noted before the reading stopped stands before it in the query.
        if stream.complaints:
            raise stream.complaints[0] from None
        raise
    return expression


def _expression(stream: TokenStream, lowest: int) -> Expression:
    left = _signed(stream)
    while (precedence := _PRECEDENCE.get(stream.peek().kind, 0)) >= lowest:
        operator = stream.take()
        is_bool, matching = _modifiers(stream, operator, left)
        right = _expression(stream, precedence if operator.kind == "^" else precedence + 1)
        left = Binary(operator.kind, left, right, is_bool, matching, operator.start)
    return left


def _modifiers(stream: TokenStream, operator: Token, left: Expression) -> tuple[bool, Matching]:
    is_bool = stream.take_if("bool") is not None
    cardinality: Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"] = "one-to-one"
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    on = stream.take_if("on", "ignoring")
    if on:
        labels = _grouping(stream)
        if group := stream.take_if("group_left", "group_right"):
            cardinality = "many-to-one" if group.kind == "group_left" else "one-to-many"
            include = _grouping(stream) if stream.peek().kind == "(" else ()
    while stream.take_if("fill", "fill_left", "fill_right"):
        stream.expect("(")
        stream.take_if("+", "-")
        stream.take_if("number", "duration") or stream.unexpected()
        stream.expect(")")
        stream.not_enabled(left.start, "binop fill modifiers are experimental and not enabled")
    if operator.kind in SET_OPERATORS and cardinality == "one-to-one":
        cardinality = "many-to-many"
    return is_bool, Matching(cardinality, labels, on is not None and on.kind == "on", include)


def _signed(stream: TokenStream) -> Expression:
    sign = stream.take_if("+", "-")
    if sign is None:
        return _modified(stream)
    operand = _expression(stream, _SIGN + 1)
    if isinstance(operand, Number):
        return Number(-operand.value if sign.kind == "-" else operand.value, sign.start)
    return Unary(sign.kind, operand, sign.start)


def _modified(stream: TokenStream) -> Expression:
    expression = _primary(stream)
    while True:
        match stream.peek().kind:
            case "[":
                expression = read_brackets(stream, expression)
            case "offset":
                expression = read_offset_modifier(stream, expression)
            case "@":
                expression = read_at_modifier(stream, expression)
            case "anchored" | "smoothed" as word:
                stream.take()
                stream.not_enabled(expression.start, f"{word} modifier is experimental and not enabled")
            case _:
                return expression


def _primary(stream: TokenStream) -> Expression:
    token = stream.peek()
    if token.kind == "{":
        return read_selector(stream, None)
    kind = token.kind
    if kind in ("number", "duration"):
        return Number(stream.number(stream.take()), token.start)
    if kind == "string":
        return String(unquoted(stream.take().text), token.start)
    if kind == "(":
        stream.take()
        inner = _expression(stream, 1)
        stream.expect(")")
        return Paren(inner, token.start)
    if kind not in METRIC_WORDS and kind not in ("identifier", "metric identifier"):
        stream.unexpected()
    stream.take()
    following = stream.peek().kind
    if kind in AGGREGATORS and following in ("(", "by", "without"):
        return _aggregate(stream, token)
    if following == "(" and (kind == "identifier" or kind in _CALLABLE_WORDS):
        return _call(stream, token)
    return read_selector(stream, token)


def _call(stream: TokenStream, name: Token) -> Expression:
    arguments = _arguments(stream)
    function = SIGNATURES.get(name.text)
    if function is None:
        stream.complain(name.start, f"unknown function with name {quoted(name.text)}")
        function = Signature(name.text, ())
    elif function.is_experimental:
        stream.not_enabled(name.start, f"function {quoted(name.text)} is not enabled")
    return Call(function, arguments, name.start)


def _arguments(stream: TokenStream) -> tuple[Expression, ...]:
    stream.expect("(")
    arguments: list[Expression] = []
    if stream.take_if(")"):
        return ()
    while True:
        arguments.append(_expression(stream, 1))
        comma = stream.take_if(",")
        if comma and stream.peek().kind == ")":
            stream.complain(comma.start, "trailing commas not allowed in function call args")
        elif comma:
            continue
        stream.expect(")")
        return tuple(arguments)


def _aggregate(stream: TokenStream, operator: Token) -> Expression:
    with stream.context("aggregation"):
        modifier = stream.take_if("by", "without")
        labels = _grouping(stream) if modifier else ()
        arguments = _arguments(stream)
        if modifier is None and (modifier := stream.take_if("by", "without")):
            labels = _grouping(stream)
    is_without = modifier is not None and modifier.kind == "without"
    takes_parameter = operator.kind in PARAMETER_TYPES
    expected = 2 if takes_parameter else 1
    if not arguments:
        stream.complain(operator.start, "no arguments for aggregate expression provided")
    elif operator.kind in EXPERIMENTAL_AGGREGATORS:
        flag = "--enable-feature=promql-experimental-functions"
        stream.not_enabled(operator.start, f"{operator.kind}() is experimental and must be enabled with {flag}")
    elif len(arguments) != expected:
        reason = f"wrong number of arguments for aggregate expression provided, expected {expected}, got {len(arguments)}"
        stream.complain(operator.start, reason)
    if not arguments:
        arguments = (Number(0.0, operator.start),)
    return Aggregate(operator.kind, arguments[-1], arguments[0] if takes_parameter else None, labels, is_without, operator.start)


def _grouping(stream: TokenStream) -> tuple[str, ...]:
    with stream.context("grouping opts", '"("'):
        stream.expect("(")
    labels: list[str] = []
    while not stream.take_if(")"):
        labels.append(_grouping_label(stream))
        if not stream.take_if(","):
            with stream.context("grouping opts", '"," or ")"'):
                stream.expect(")")
            break
    return tuple(labels)


def _grouping_label(stream: TokenStream) -> str:
    token = stream.peek()
    is_word = token.text.replace("_", "a").isalnum() and token.kind not in ("number", "duration", "string")
    if not is_word and token.kind != "string":
        with stream.context("grouping opts", "label"):
            stream.unexpected()
    stream.take()
    label = unquoted(token.text) if token.kind == "string" else token.text
    if not is_label_name(label):
        stream.complain(token.start, f"invalid label name for grouping: {quoted(label)}")
    return label
