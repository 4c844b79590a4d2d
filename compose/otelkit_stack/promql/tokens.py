"""PromQL text as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otelkit_stack.go_strings import escape_complaint
from otelkit_stack.go_text import quoted
from otelkit_stack.promql.errors import ParseError

AGGREGATORS = frozenset(
    (
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
        "limitk",
        "limit_ratio",
    )
)
SET_OPERATORS = frozenset(("and", "or", "unless"))
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
OPERATORS = SET_OPERATORS | COMPARISONS | {"+", "-", "*", "/", "%", "^", "atan2", "@", "=", "=~", "!~", "</", ">/"}
DURATION_WORDS = frozenset(("step", "range", "max_of", "min_of"))
_MATCHING_WORDS = frozenset(("on", "ignoring", "group_left", "group_right", "bool"))
_MODIFIERS = _MATCHING_WORDS | {"offset", "smoothed", "anchored", "by", "without", "fill", "fill_left", "fill_right"}
_WORDS = AGGREGATORS | SET_OPERATORS | _MODIFIERS | DURATION_WORDS | {"atan2", "start", "end"}
METRIC_WORDS = _WORDS - _MATCHING_WORDS - {"atan2"}
"""Words with a meaning that are names of metrics where that meaning makes no sense."""

_SPACE = re.compile(r"[ \t\n\r]*(?:#[^\n\r]*[ \t\n\r]*)*")
_WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_METRIC_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_NUMBER = re.compile(r"0[xX]_?[0-9a-fA-F]*(?:_[0-9a-fA-F]+)*|(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BROKEN_NUMBER = re.compile(r"[eE][+-]?[._eE]?|\.|_[._eE]?|")
_DURATION = re.compile(r"[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdw]))*s?")
_STRING = {mark: re.compile(rf"{mark}(?:[^{mark}\\\n]|\\.)*{mark}", re.DOTALL) for mark in "\"'"}
_SYMBOLS = re.compile(r"==|=~|!=|!~|<=|</|>=|>/|[-+*/%^<>=@,(){}\[\]:]")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query. ``kind`` is the symbol or the word itself, in lower case, or what sort of thing the text is."""

    kind: str
    text: str
    start: int
    """Characters before it."""

    def described(self) -> str:
        """How a message names it, in Prometheus' way."""
        match self.kind:
            case "identifier" | "metric identifier":
                return f"{self.kind} {quoted(self.text)}"
            case "end of input":
                return self.kind
            case "number" | "duration" | "string":
                return f"{self.kind} {quoted(self.text[:10]) + '...' if len(self.text) > 10 else quoted(self.text)}"
            case "(" | ")" | "{" | "}" | "[" | "]" | "," | ":" | "=":
                return quoted(self.text)
            case kind if kind in AGGREGATORS:
                return f"<aggr:{self.text}>"
            case kind if kind in OPERATORS:
                return f"<op:{self.text}>"
            case kind if kind in _MODIFIERS:
                return f"<{self.text}>"
        return quoted(self.text)


def position(query: str, start: int) -> str:
    """``line:column`` of a place in the query; columns are bytes of UTF-8, and both begin with 1."""
    before = query[:start]
    line = before.rpartition("\n")[2]
    return f"{before.count(chr(10)) + 1}:{len(line.encode(errors='surrogateescape')) + 1}"


class Lexer:
    """Reads one query, token by token, as the parser asks for them. Raises ParseError at what is no token."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._at = 0
        self._parentheses = 0
        self._in_braces = False
        self._in_brackets = False
        # Inside the brackets, so far:
        self._has_duration = False
        self._has_colon = False

    def next(self) -> Token:
        """The next token; after the last one, ``end of input`` for ever."""
        space = _SPACE.match(self._query, self._at)
        self._at = space.end() if space else self._at
        start = self._at
        if start >= len(self._query):
            return self._end()
        if self._in_braces:
            token = self._inside_braces(start)
        elif self._in_brackets:
            token = self._inside_brackets(start)
        else:
            token = self._plain(start)
        self._at = start + len(token.text)
        self._track(token)
        return token

    def _fail(self, reason: str, start: int) -> ParseError:
        return ParseError(position(self._query, start), reason)

    def _end(self) -> Token:
        start = len(self._query)
        if self._in_braces:
            raise self._fail("unexpected end of input inside braces", start)
        if self._parentheses:
            raise self._fail("unclosed left parenthesis", start)
        if self._in_brackets:
            raise self._fail("unclosed left bracket" if self._has_duration else "unexpected end of input in duration expression", start)
        return Token("end of input", "", start)

    def _track(self, token: Token) -> None:
        match token.kind:
            case "(":
                self._parentheses += 1
            case ")":
                self._parentheses -= 1
                if self._parentheses < 0:
                    raise self._fail("unexpected right parenthesis ')'", token.start + 1)
            case "{":
                self._in_braces = True
            case "}":
                self._in_braces = False
            case "[":
                self._in_brackets, self._has_duration, self._has_colon = True, False, False
            case ":":
                self._has_colon = True
            case "]":
                self._in_brackets = False
            case "number" | "duration":
                self._has_duration = True

    def _plain(self, start: int) -> Token:
        character = self._query[start]
        if character in "0123456789" or (character == "." and self._query[start + 1 : start + 2].isdigit()):
            return self._number(start)
        if character in "\"'`":
            return self._string(start)
        if word := _METRIC_WORD.match(self._query, start):
            return self._word(word[0], start)
        symbol = _SYMBOLS.match(self._query, start)
        if symbol is None or symbol[0] in ("=~", "!~"):
            following = self._query[start + 1 : start + 2] or "\N{REPLACEMENT CHARACTER}"
            if character in "=!":
                raise self._fail(f"unexpected character after '{character}': {quoted(following, chr(39))}", start)
            raise self._fail(f"unexpected character: {quoted(character, chr(39))}", start)
        if symbol[0] in ("]", "}"):
            reason = "unexpected right bracket ']'" if symbol[0] == "]" else "unexpected character: '}'"
            raise self._fail(reason, start)
        return Token(symbol[0], symbol[0], start)

    def _word(self, word: str, start: int) -> Token:
        lower = word.lower()
        if lower in ("inf", "nan"):
            return Token("number", word, start)
        if lower in _WORDS and not (lower.startswith("fill") and not self._query[start + len(word) :].lstrip(" \t\n\r").startswith("(")):
            return Token(lower, word, start)
        return Token("metric identifier" if ":" in word else "identifier", word, start)

    def _inside_braces(self, start: int) -> Token:
        if word := _WORD.match(self._query, start):
            return Token("identifier", word[0], start)
        character = self._query[start]
        if character in "\"'`":
            return self._string(start)
        symbol = _SYMBOLS.match(self._query, start)
        if symbol and symbol[0] in ("=", "==", "!=", "=~", "!~", ",", "}"):
            text = "=" if symbol[0] == "==" else symbol[0]
            return Token(text, text, start)
        if character == "!":
            raise self._fail(f"unexpected character after '!' inside braces: {quoted(self._query[start + 1 : start + 2], chr(39))}", start)
        what = "left brace" if character == "{" else "character inside braces:"
        raise self._fail(f"unexpected {what} {quoted(character, chr(39))}", start)

    def _inside_brackets(self, start: int) -> Token:
        character = self._query[start]
        if character in "0123456789" or (character == "." and self._query[start + 1 : start + 2].isdigit()):
            return self._number(start)
        word = _WORD.match(self._query, start)
        if word and word[0].lower() in DURATION_WORDS:
            return Token(word[0].lower(), word[0], start)
        if character == ":" and not self._has_duration:
            raise self._fail("unexpected colon before duration in duration expression", start + 1)
        if character == ":" and self._has_colon:
            raise self._fail("unexpected colon ':'", start)
        if character in "]:()+-*/%^,":
            return Token(character, character, start)
        if self._has_duration and character == "[":
            raise self._fail("unexpected left bracket '['", start)
        if self._has_duration and word:
            raise self._fail(f"unexpected character: {quoted(character, chr(39))}, expected ':'", start)
        if self._has_duration:
            return self._plain(start)
        raise self._fail(f"unexpected character in duration expression: {quoted(character, chr(39))}", start)

    def _number(self, start: int) -> Token:
        number = _NUMBER.match(self._query, start)
        assert number is not None
        if not self._continues(number.end()):
            return Token("number", number[0], start)
        duration = _DURATION.match(self._query, start)
        if duration and not re.match(r"\w", self._query[duration.end() : duration.end() + 1], re.ASCII):
            return Token("duration", duration[0], start)
        broken = _BROKEN_NUMBER.match(self._query, number.end())
        end = duration.end() + 1 if duration else broken.end() if broken else number.end()
        raise self._fail(f"bad number or duration syntax: {quoted(self._query[start:end])}", start)

    def _continues(self, end: int) -> bool:
        following = self._query[end : end + 1]
        return following.isascii() and (following.isalnum() or following in ("_", "."))

    def _string(self, start: int) -> Token:
        mark = self._query[start]
        if mark == "`":
            end = self._query.find("`", start + 1)
            if end < 0:
                raise self._fail("unterminated raw string", start)
            return Token("string", self._query[start : end + 1], start)
        found = _STRING[mark].match(self._query, start)
        text = found[0] if found else self._query[start:].partition("\n")[0]
        complaint = escape_complaint(text, mark)
        if complaint or found is None:
            raise self._fail(complaint or "unterminated quoted string", start)
        return Token("string", text, start)
