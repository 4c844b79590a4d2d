"""Lengths of time between brackets and behind ``offset``: numbers, durations, and arithmetic with both."""

from __future__ import annotations

from otelkit_stack.promql import durations
from otelkit_stack.promql.syntax import Duration, DurationTerm
from otelkit_stack.promql.token_stream import TokenStream
from otelkit_stack.promql.tokens import DURATION_WORDS

_Term = DurationTerm | float
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_SIGN = 2


def read_positive(stream: TokenStream) -> Duration:
    """A range or a step, which must be longer than nothing."""
    start = stream.peek().start
    term = _expression(stream, 1)
    if isinstance(term, DurationTerm):
        return term
    if term <= 0:
        stream.complain(start, "duration must be greater than 0")
    return durations.from_seconds(term)


def read_offset(stream: TokenStream) -> Duration:
    """An offset. Only parentheses let arithmetic belong to it: ``x offset 5m * 2`` is twice ``x offset 5m``."""
    sign = stream.take_if("+", "-")
    term = _expression(stream, 1) if sign is None and stream.peek().kind == "(" else _atom(stream)
    if sign is not None and sign.kind == "-":
        term = _negated(stream, term, sign.start)
    return term if isinstance(term, DurationTerm) else durations.from_seconds(term)


def _expression(stream: TokenStream, lowest: int) -> _Term:
    start = stream.peek().start
    left = _operand(stream)
    while (precedence := _PRECEDENCE.get(stream.peek().kind, 0)) >= lowest:
        operator = stream.take()
        right = _expression(stream, precedence if operator.kind == "^" else precedence + 1)
        if right == 0 and operator.kind in "/%":
            stream.complain(operator.start, "division by zero" if operator.kind == "/" else "modulo by zero")
        start = left.start if isinstance(left, DurationTerm) else start
        left = DurationTerm(operator.kind, left, right, start, stream.end)
    return left


def _operand(stream: TokenStream) -> _Term:
    sign = stream.take_if("+", "-")
    if sign is None:
        return _atom(stream)
    term = _expression(stream, _SIGN + 1)
    return _negated(stream, term, sign.start) if sign.kind == "-" else term


def _negated(stream: TokenStream, term: _Term, start: int) -> _Term:
    return DurationTerm("-", None, term, start, stream.end) if isinstance(term, DurationTerm) else -term


def _atom(stream: TokenStream) -> _Term:
    token = stream.peek()
    if token.kind in ("number", "duration"):
        value = stream.number(stream.take())
        if durations.is_out_of_range(value):
            stream.complain(token.start, "duration out of range")
            return 0.0
        return value
    if token.kind == "(":
        stream.take()
        inner = _expression(stream, 1)
        stream.expect(")")
        return inner
    if token.kind not in DURATION_WORDS:
        stream.unexpected()
    stream.take()
    stream.expect("(")
    if token.kind in ("step", "range"):
        stream.expect(")")
        return DurationTerm(token.kind, None, None, token.start, stream.end)
    left = _expression(stream, 1)
    stream.expect(",")
    right = _expression(stream, 1)
    stream.expect(")")
    return DurationTerm(token.kind, left, right, token.start, stream.end)
