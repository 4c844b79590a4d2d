"""Lines as text: JSON for machines, one readable line for a developer's terminal."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping

from otelkit.catalog import logs as keys
from otelkit.logs.access_text import AccessText
from otelkit.logs.line import PRESENTATION, Line, LineComposer

_LINE_BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What JSON allows inside a string, but readers of lines take for the end of one."""
_BREAKING = re.compile("[\x85\u2028\u2029]")

_UNPRINTABLE = re.compile(
    # Control characters (escape sequences begin with one), line and paragraph separators, and the marks that turn the
    # direction of writing: with those a value could rewrite the line that it stands in.
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_PLAIN = re.compile(r"[^\s\"'=]+")
_COLOURS = {"debug": "\x1b[2m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_SHORT_ID = 8

_NOT_REPEATED = frozenset(
    {
        keys.TIMESTAMP,
        keys.LEVEL,
        keys.MESSAGE,
        keys.LOGGER,
        keys.TRACE_ID,
        keys.SPAN_ID,
        keys.TRACE_SAMPLED,
        keys.EXCEPTION_STACKTRACE,
        keys.CODE_STACKTRACE,
        # The stack ends with them.
        keys.EXCEPTION_TYPE,
        keys.EXCEPTION_MESSAGE,
        *keys.RESOURCE_KEYS,
    }
)


class JSONFormatter(logging.Formatter):
    """Writes each record as one JSON object on one line."""

    def __init__(self, resource: Mapping[str, str] | None = None, *, ascii_only: bool = False) -> None:
        """``resource`` is repeated in each line, in its short form. ``ascii_only`` is for streams that are not UTF-8."""
        super().__init__()
        self._composer = LineComposer(resource or {})
        self._compose = self._composer.compose
        self._encode = _json_encoder(ascii_only=ascii_only)
        self.access = AccessText(self._composer.resource, self._encode)
        """The same for access lines that need no record."""

    def rename(self, resource: Mapping[str, str]) -> None:
        """Takes the resource of the lines to come."""
        self._composer.rename(resource)
        self.access = AccessText(self._composer.resource, self._encode)

    def format(self, record: logging.LogRecord) -> str:
        """One valid JSON line, whatever the record holds. Never raises."""
        return self._encode(self._compose(record))


class Presentation:
    """What the kit itself shows a person over several lines, instead of a line with keys. Others' records have no such thing."""

    def text(self, *, colour: bool) -> str:
        """The lines, without characters that could rewrite a terminal."""
        raise NotImplementedError


class TextFormatter(logging.Formatter):
    """Writes each record for a reader: ``13:28:05.123 warning  shop.cart: Cart is empty user=7 trace=4bf92f35``.

    Characters that could break or rewrite a line are escaped; a stack follows below, indented, so that no part of it can
    pass for a line of its own.
    """

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._compose = LineComposer({}).compose
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the stack below it where there is one. Never raises."""
        if isinstance(presentation := record.__dict__.get(PRESENTATION), Presentation):
            return presentation.text(colour=self._colour)
        line = self._compose(record)
        level = str(line[keys.LEVEL])
        parts = [
            self._paint(_DIM, _local_time(record.created)),
            self._paint(_COLOURS.get(level, ""), f"{printable(level):<8}"),
            f"{printable(line[keys.LOGGER])}: {printable(line[keys.MESSAGE])}",
            *(f"{printable(key)}={_value_text(value)}" for key, value in line.items() if key not in _NOT_REPEATED),
        ]
        if trace_id := line.get(keys.TRACE_ID):
            parts.append(self._paint(_DIM, f"trace={trace_id[:_SHORT_ID]}"))
        stacks = (line[key] for key in (keys.EXCEPTION_STACKTRACE, keys.CODE_STACKTRACE) if key in line)
        return "\n".join([" ".join(parts), *(f"    {printable(row)}" for stack in stacks for row in stack.split("\n"))])

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour and colour else text


def printable(text: str) -> str:
    """The text with escape sequences, as Python spells them, for what would not print: ``\\x1b``, ``\\n``, ``\\u2028``."""
    return _UNPRINTABLE.sub(lambda match: repr(match[0])[1:-1], text)


def _json_encoder(*, ascii_only: bool) -> Callable[[Line], str]:
    # One in a hundred lines is not ASCII; two encoders must not differ for the others.
    encode = json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":"), check_circular=False, allow_nan=False).encode
    if ascii_only:
        return encode
    try:
        import orjson
    except ImportError:
        return lambda line: _in_one_line(encode(line))
    dumps = orjson.dumps
    return lambda line: _in_one_line(dumps(line).decode())


def _in_one_line(text: str) -> str:
    return text if text.isascii() else _BREAKING.sub(lambda match: _LINE_BREAKS[match[0]], text)


def _local_time(created: float) -> str:
    try:
        return f"{time.strftime('%H:%M:%S', time.localtime(created))}.{int(created % 1 * 1000):03d}"
    except (TypeError, ValueError, OverflowError, OSError):
        return "??:??:??.???"


def _value_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and not _PLAIN.fullmatch(text):
        text = json.dumps(text, ensure_ascii=False)
    return printable(text)
