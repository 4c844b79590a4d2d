"""RE2's regular expressions, which the query languages use, as Python's.

The two share most of their syntax. Where they differ, the expression is translated (``$`` is the very end, ``(?i)`` holds to the
end of its group, ``\\d`` is ASCII, ``[[:alpha:]]``), and what only one of them has is refused in RE2's words.
One difference remains: Python's engine backtracks, so an expression like ``(a+)+$`` can be slow on long values.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PERL = {"d": "0-9", "s": "\\t\\n\\f\\r ", "w": "0-9A-Za-z_"}
_CONTROLS = {"a": "\\x07", "f": "\\f", "t": "\\t", "n": "\\n", "r": "\\r", "v": "\\v"}
_REPEAT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_MOST_REPEATS = 1000
_LONGEST = 65_536
_DEEPEST = 100
"""Groups within groups. RE2 takes a thousand; Python's engine reads and compiles each within the one around it."""


class RegexError(ValueError):
    """An expression that RE2 refuses, or that uses a part of RE2 we do not translate."""

    def __init__(self, reason: str, fragment: str | None = None) -> None:
        super().__init__(f"error parsing regexp: {reason}" + (f": `{fragment}`" if fragment is not None else ""))


@lru_cache(maxsize=1024)
def compiled(expression: str, *, dot_matches_newline: bool = True) -> re.Pattern[str]:
    """The pattern; Prometheus lets ``.`` match a newline in selectors, Go elsewhere does not. Raises RegexError."""
    if len(expression) > _LONGEST:
        raise RegexError(f"the expression has more than {_LONGEST} characters", f"{expression[:100]}...")
    translated = _Translation(expression).text()
    try:
        return re.compile(translated, re.DOTALL if dot_matches_newline else 0)
    except RecursionError:  # whoever called us may have been deep already
        raise _too_deep(expression) from None
    except (re.error, OverflowError) as error:
        raise RegexError(f"{error}", expression) from error


def _too_deep(expression: str) -> RegexError:
    return RegexError("expression nests too deeply", expression if len(expression) <= 100 else f"{expression[:100]}...")


class _Translation:
    """Walks through an expression once and collects what Python should read instead."""

    def __init__(self, expression: str) -> None:
        self._source = expression
        self._at = 0
        self._out: list[str] = []
        self._depth = 0

    def text(self) -> str:
        self._alternatives(multiline=False)
        if self._at < len(self._source):
            raise RegexError("unexpected )", self._source)
        return "".join(self._out)

    def _rest(self) -> str:
        return self._source[self._at :]

    def _alternatives(self, *, multiline: bool) -> None:
        opened: list[str] = []  # groups that stand for a flag like (?i), which ends where its group ends
        is_atom = False
        while self._at < len(self._source) and self._source[self._at] != ")":
            rest = self._rest()
            match = rest[0]
            if match == "|":
                # A flag set in one alternative holds in those that follow.
                self._emit(")" * len(opened) + "|" + "".join(opened), 1)
                is_atom = False
            elif match in "*+?" or (match == "{" and _REPEAT.match(rest)):
                self._repeat(is_atom)
                is_atom = False
            elif rest.startswith("(?") and (flags := re.match(r"\(\?([imsU]*(?:-[imsU]+)?)\)", rest)):
                multiline = self._flags(flags[1], multiline)
                opened.append(f"(?{flags[1]}:")
                self._enter()
                self._emit(opened[-1], len(flags[0]))
                is_atom = False
            elif match == "(":
                self._group(multiline)
                is_atom = True
            else:
                self._atom(rest, multiline)
                is_atom = True
        self._out.append(")" * len(opened))
        self._depth -= len(opened)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _too_deep(self._source)

    def _emit(self, text: str, consumed: int) -> None:
        self._out.append(text)
        self._at += consumed

    def _flags(self, flags: str, multiline: bool) -> bool:
        if "U" in flags:
            raise RegexError("the flag U is not supported", f"(?{flags}")
        on, _, off = flags.partition("-")
        return (multiline or "m" in on) and "m" not in off

    def _group(self, multiline: bool) -> None:
        rest = self._rest()
        named = re.match(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>", rest)
        flagged = re.match(r"\(\?([imsU]*(?:-[imsU]+)?):", rest)
        if named:
            self._emit(f"(?P<{named[1]}>", len(named[0]))
        elif flagged:
            multiline = self._flags(flagged[1], multiline)
            self._emit(f"(?{flagged[1]}:", len(flagged[0]))
        elif rest.startswith("(?"):
            fragment = rest[:4] if rest.startswith(("(?<=", "(?<!", "(?P=")) else rest[:3]
            raise RegexError("invalid or unsupported Perl syntax", fragment)
        else:
            self._emit("(", 1)
        self._enter()
        self._alternatives(multiline=multiline)
        self._depth -= 1
        if self._at >= len(self._source):
            raise RegexError("missing closing )", self._source)
        self._emit(")", 1)

    def _repeat(self, is_atom: bool) -> None:
        rest = self._rest()
        counted = _REPEAT.match(rest)
        operator = counted[0] if counted else rest[0]
        if not is_atom:
            # After another operator RE2 knows no possessive or doubled forms; anywhere else there is nothing to repeat.
            before = self._source[: self._at]
            if before and before[-1] in "*+?}" and not before.endswith("\\" + before[-1]):
                raise RegexError("invalid nested repetition operator", before[-1] + operator)
            raise RegexError("missing argument to repetition operator", operator)
        if counted:
            least, most = int(counted[1]), int(counted[3] or counted[1])
            if max(least, most) > _MOST_REPEATS or most < least:
                raise RegexError("invalid repeat count", operator)
        lazy = "?" if rest[len(operator) :].startswith("?") else ""
        self._emit(operator + lazy, len(operator) + len(lazy))

    def _atom(self, rest: str, multiline: bool) -> None:
        match rest[0]:
            case "[":
                self._class()
            case "\\":
                self._escape(in_class=False)
            case "$":
                self._emit("$" if multiline else "\\Z", 1)
            case "{" | "}" | "]" | "#" | "&" | "~":
                self._emit("\\" + rest[0], 1)
            case other:
                self._emit(other, 1)

    def _escape(self, *, in_class: bool) -> None:
        rest = self._rest()
        if len(rest) < 2:
            raise RegexError("trailing backslash at end of expression", "")
        letter = rest[1]
        if letter == "Q" and not in_class:
            literal, _, _ = rest[2:].partition("\\E")
            self._emit(re.escape(literal), 2 + len(literal) + (2 if rest[2 + len(literal) :].startswith("\\E") else 0))
        elif letter in "pP":
            raise RegexError("Unicode classes are not supported here", rest[:3])
        elif letter.lower() in _PERL:
            kind = _PERL[letter.lower()]
            if in_class and letter.isupper():
                raise RegexError("a negated class inside a class is not supported here", rest[:2])
            self._emit(kind if in_class else f"[{'^' if letter.isupper() else ''}{kind}]", 2)
        elif letter in _CONTROLS:
            self._emit(_CONTROLS[letter], 2)
        elif coded := re.match(r"\\x\{([0-9A-Fa-f]+)\}|\\x([0-9A-Fa-f]{2})|\\(0[0-7]{0,2}|[1-7][0-7]{1,2})", rest):
            code = int(coded[1] or coded[2], 16) if coded[1] or coded[2] else int(coded[3], 8)
            if code > 0x10FFFF:
                raise RegexError("invalid escape sequence", coded[0])
            self._emit(re.escape(chr(code)), len(coded[0]))
        elif not in_class and letter in "Az":
            self._emit({"A": "\\A", "z": "\\Z"}[letter], 2)
        elif not in_class and letter in "bB":
            self._emit(f"(?a:\\{letter})", 2)
        elif letter.isascii() and not letter.isalnum():
            self._emit("\\" + letter, 2)
        else:
            raise RegexError("invalid escape sequence", rest[:2])

    def _class(self) -> None:
        start = self._at
        self._emit("[^", 2) if self._rest().startswith("[^") else self._emit("[", 1)
        is_first = True
        while True:
            rest = self._rest()
            if not rest:
                raise RegexError("missing closing ]", self._source[start:])
            if rest[0] == "]" and not is_first:
                self._emit("]", 1)
                return
            is_first = False
            if named := re.match(r"\[:(\^?)([a-z]+):\]", rest):
                if named[1] or named[2] not in _CLASSES:
                    raise RegexError("invalid character class range", named[0])
                self._emit(_CLASSES[named[2]], len(named[0]))
            elif rest[0] == "\\":
                self._escape(in_class=True)
            else:
                self._range(rest)

    def _range(self, rest: str) -> None:
        if len(rest) > 2 and rest[1] == "-" and rest[2] not in "]\\[" and rest[0] > rest[2]:
            raise RegexError("invalid character class range", rest[:3])
        # Python reads "--", "&&", "||", "~~" and "[" inside a class as set operations to come.
        self._emit("\\" + rest[0] if rest[0] in "[]&|~" else rest[0], 1)
