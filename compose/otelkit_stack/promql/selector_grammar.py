"""Selectors and what may stand behind an expression: braces, brackets, ``offset`` and ``@``."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

from otelkit_stack.go_strings import unquoted
from otelkit_stack.go_text import plain
from otelkit_stack.promql.duration_grammar import read_offset, read_positive
from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.syntax import At, Duration, Expression, MatrixSelector, Subquery, VectorSelector
from otelkit_stack.promql.token_stream import TokenStream
from otelkit_stack.promql.tokens import Token
from otelkit_stack.selectors.matchers import Matcher, MatchOperator
from otelkit_stack.selectors.regex import RegexError

_FARTHEST_S = 2**52
"""Seconds from the epoch that milliseconds can still count with room for offsets; Prometheus' own bound overflows."""
_MATCH_OPERATORS = ("=", "!=", "=~", "!~")
_LENGTHS = "number, duration, step(), or range()"
_LENGTHS_OR_END = 'number, duration, step(), range(), or "]"'


def read_selector(stream: TokenStream, name: Token | None) -> VectorSelector:
    """A selector whose name, where it has one, has been read."""
    matchers: list[Matcher] = []
    start = name.start if name else stream.peek().start
    if stream.take_if("{"):
        matchers = _matchers(stream)
    if name:
        matchers.append(Matcher(METRIC_NAME, "=", name.text))
    return VectorSelector(name.text if name else "", tuple(matchers), start)


def _matchers(stream: TokenStream) -> list[Matcher]:
    matchers: list[Matcher] = []
    while not stream.take_if("}"):
        matcher = _matcher(stream)
        if matcher:
            matchers.append(matcher)
        if not stream.take_if(","):
            with stream.context("label matching", '"," or "}"'):
                stream.expect("}")
            break
    return matchers


def _matcher(stream: TokenStream) -> Matcher | None:
    with stream.context("label matching", 'identifier or "}"'):
        name = stream.take_if("identifier", "string") or stream.unexpected()
    label = unquoted(name.text) if name.kind == "string" else name.text
    operator = stream.take_if(*_MATCH_OPERATORS)
    if operator is None and name.kind == "string":
        return Matcher(METRIC_NAME, "=", label)
    if operator is None:
        with stream.context("label matching", "label matching operator"):
            stream.unexpected()
    assert operator is not None
    with stream.context("label matching", "string"):
        value = stream.expect("string")
    try:
        return Matcher(label, cast("MatchOperator", operator.kind), unquoted(value.text))
    except RegexError as error:
        stream.complain(name.start, str(error))
        return None


def read_brackets(stream: TokenStream, expression: Expression) -> Expression:
    """A range selector or a subquery over the expression."""
    bracket = stream.expect("[")
    with stream.context("subquery or range selector", _LENGTHS):
        length = read_positive(stream)
    if stream.take_if(":"):
        step = None
        if stream.peek().kind != "]":
            with stream.context("subquery selector", _LENGTHS_OR_END):
                step = read_positive(stream)
        with stream.context("subquery selector", '"]"'):
            stream.expect("]")
        return Subquery(expression, length, step)
    with stream.context("subquery or range", '":" or "]"'):
        stream.expect("]")
    if not isinstance(expression, VectorSelector):
        stream.complain(bracket.start, "ranges only allowed for vector selectors")
        return Subquery(expression, length, None)
    if expression.offset != 0:
        stream.complain(bracket.start, "no offset modifiers allowed before range")
    elif isinstance(expression.at, int):
        stream.complain(bracket.start, "no @ modifiers allowed before range")
    return MatrixSelector(expression, length)


def read_offset_modifier(stream: TokenStream, expression: Expression) -> Expression:
    """The expression, moved in time."""
    stream.expect("offset")
    with stream.context("offset", _LENGTHS):
        offset = read_offset(stream)
    return _with_offset(stream, expression, offset)


def _with_offset(stream: TokenStream, expression: Expression, offset: Duration) -> Expression:
    match expression:
        case MatrixSelector(selector):
            changed = _with_offset(stream, selector, offset)
            assert isinstance(changed, VectorSelector)
            return replace(expression, selector=changed)
        case VectorSelector() | Subquery():
            if expression.offset != 0:
                stream.complain(expression.start, "offset may not be set multiple times")
            return replace(expression, offset=offset)
    stream.complain(
        expression.start, "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
    )
    return expression


def read_at_modifier(stream: TokenStream, expression: Expression) -> Expression:
    """The expression, fixed in time."""
    stream.expect("@")
    with stream.context("@", "timestamp"):
        at = _at(stream, expression)
    return _with_at(stream, expression, at)


def _at(stream: TokenStream, expression: Expression) -> At:
    if word := stream.take_if("start", "end"):
        stream.expect("(")
        stream.expect(")")
        return "start" if word.kind == "start" else "end"
    sign = stream.take_if("+", "-")
    token = stream.take_if("number", "duration") or stream.unexpected()
    seconds = stream.number(token) * (-1 if sign and sign.kind == "-" else 1)
    if not math.isfinite(seconds) or abs(seconds) >= _FARTHEST_S:
        text = plain(seconds) if not math.isfinite(seconds) else f"{seconds:f}"
        stream.complain(expression.start, f"timestamp out of bounds for @ modifier: {text}")
        return 0
    milliseconds = seconds * 1000
    return math.floor(milliseconds + 0.5) if milliseconds >= 0 else -math.floor(0.5 - milliseconds)


def _with_at(stream: TokenStream, expression: Expression, at: At) -> Expression:
    match expression:
        case MatrixSelector(selector):
            changed = _with_at(stream, selector, at)
            assert isinstance(changed, VectorSelector)
            return replace(expression, selector=changed)
        case VectorSelector() | Subquery():
            if expression.at is not None:
                stream.complain(expression.start, "@ <timestamp> may not be set multiple times")
            return replace(expression, at=at)
    stream.complain(expression.start, "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery")
    return expression
