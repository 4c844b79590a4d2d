"""The parser's view of the tokens: one at a time, and what to say about one that does not fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from otelkit_stack.promql import durations
from otelkit_stack.promql.errors import NotEnabledError, ParseError
from otelkit_stack.promql.tokens import Lexer, Token, position


class TokenStream:
    """Tokens of one query, with one token of look-ahead.

    What is wrong but does not stop the reading is noted in ``complaints``; the first of them is what the user sees.
    """

    def __init__(self, query: str) -> None:
        self.query = query
        self.end = 0
        """Where the last token that was taken ends."""
        self.complaints: list[ParseError] = []
        self._lexer = Lexer(query)
        self._next: Token | None = None
        self._contexts: list[tuple[str, str]] = [("", "")]

    def peek(self) -> Token:
        """The next token, left where it is."""
        if self._next is None:
            self._next = self._lexer.next()
        return self._next

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self._next = None
        self.end = token.start + len(token.text)
        return token

    def take_if(self, *kinds: str) -> Token | None:
        """The next token where it is of one of these kinds."""
        return self.take() if self.peek().kind in kinds else None

    def expect(self, kind: str) -> Token:
        """The next token, which must be of this kind. Raises ParseError."""
        return self.take_if(kind) or self.unexpected()

    def complain(self, start: int, reason: str) -> None:
        """Note that something is wrong at a place, and go on."""
        self.complaints.append(ParseError(position(self.query, start), reason))

    def not_enabled(self, start: int, reason: str) -> None:
        """Note a use of experimental syntax."""
        self.complaints.append(NotEnabledError(position(self.query, start), reason))

    def unexpected(self) -> Token:
        """Raises ParseError about the next token; within :meth:`context`, with what was expected there."""
        token = self.peek()
        context, expected = self._contexts[-1]
        reason = f"unexpected {token.described()}" + (f" in {context}" if context else "") + (f", expected {expected}" if expected else "")
        raise ParseError(position(self.query, token.start), reason)

    @contextmanager
    def context(self, name: str, expected: str = "") -> Iterator[None]:
        """Until the end of the block, what does not fit is said to be unexpected in ``name``."""
        self._contexts.append((name, expected))
        try:
            yield
        finally:
            self._contexts.pop()

    def number(self, token: Token) -> float:
        """The value of a number or a duration, in seconds."""
        if token.kind == "duration":
            try:
                return durations.seconds(durations.parse(token.text))
            except ValueError as error:
                self.complain(token.start, str(error))
                return 0.0
        try:
            return _number(token.text)
        except ValueError as error:
            self.complain(token.start, f"error parsing number: {error}")
            return 0.0


def _number(text: str) -> float:
    if text.lower() in ("inf", "nan"):
        return float(text)
    base, digits = (16, text[2:].removeprefix("_")) if text[:2].lower() == "0x" else (10, text)
    # A leading zero means octal, as in Go, where all digits are octal ones.
    if base == 10 and len(text) > 1 and text[0] == "0" and set(text) <= set("01234567_"):
        base = 8
    try:
        value = float(int(digits, base)) if base != 10 or digits.isdigit() else float(digits)
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        raise ValueError(f'strconv.ParseFloat: parsing "{text}": value out of range')
    return value
