"""What a statement does, as names and labels want it. Parsed once per text; the memory for that is bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zlib import crc32

from otelkit.redaction import sanitize_sql

LONGEST_TEXT = 4096
"""Characters of a statement that a span carries, and the longest statement that is remembered: 1024 of them are 4 MB."""

_LONGEST_READ = 65_536
_LONGEST_NAME = 128

# Possessive and atomic: a row of comments without a word behind it must not be tried in every combination.
_OPERATION = re.compile(r"(?>[\s(;]|--[^\n]*\n|/\*.*?\*/)*+([A-Za-z]+)", re.DOTALL)
_PART = r"(?:\"[^\"]+\"|`[^`]+`|\[[^\]]+\]|[\w$]+)"
_NAME = rf"({_PART}(?:\.{_PART})*)"
_TABLE = re.compile(
    r"\b(?:FROM|INTO|UPDATE|JOIN|TABLE|TRUNCATE|COPY)\s+(?:TABLE\s+|ONLY\s+|IF\s+(?:NOT\s+)?EXISTS\s+)*" + _NAME, re.IGNORECASE
)
_INSIDE_FUNCTION = re.compile(r"\b(?:EXTRACT|TRIM|SUBSTRING|OVERLAY)\s*\([^()]*\Z|\bDISTINCT\s*\Z", re.IGNORECASE)
"""What stands before a FROM that names no table: ``EXTRACT(year FROM created)``, ``a IS DISTINCT FROM b``."""
_QUOTES = re.compile(r"[\"`\[\]]")

_PLACEHOLDER = r"\s*+(?:%s|\?|\$\d++|%\(\w+\)s|:\w++)\s*+"
_LIST = re.compile(rf"\(({_PLACEHOLDER})(?:,{_PLACEHOLDER})++\)")
_ROWS = re.compile(r"(\([^()]*\))(?:\s*,\s*\1)+")

_NAMED_ANEW = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
"""Statements with a name that Django makes up each time: remembering them would push out all others."""

TRANSACTION_CONTROL = frozenset({"ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START"})


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without its values."""

    operation: str
    """First word, in capitals."""
    table: str | None
    """The one it names first."""
    text: str
    """For the span (db.query.text): as it is where the values are parameters, otherwise without literals."""
    summary: str
    """``SELECT orders_order``: name of the span (db.query.summary)."""
    shape: str
    """Equal for statements that differ in their values only, however long their lists are."""
    is_transaction_control: bool
    """Django's or the application's bookkeeping, like SAVEPOINT: no query of the application's."""


def parse_statement(sql: str, *, has_parameters: bool) -> Statement:
    """Operation, first table, text and shape. Literals are only taken out where the values are not parameters already."""
    return _remembered(sql, has_parameters) if is_lasting(sql) else _parse(sql, has_parameters)


def is_lasting(sql: str) -> bool:
    """Whether the statement is worth being remembered: it is not too long, and has no name that is made up each time."""
    return len(sql) <= LONGEST_TEXT and not sql.startswith(_NAMED_ANEW)


def text_of(sql: Any, connection: Any) -> str:
    """The SQL of whatever a driver accepts: text, bytes, or an object of the driver's that composes it."""
    if isinstance(sql, bytes | bytearray):
        return bytes(sql).decode("utf-8", "replace")
    compose = getattr(sql, "as_string", None)
    if compose is None:
        return str(sql)
    return str(compose(connection.connection))  # psycopg quotes names as this connection wants them


def _parse(sql: str, has_parameters: bool) -> Statement:
    cut = sql[:_LONGEST_READ]
    text = cut if has_parameters else sanitize_sql(cut)
    operation = _OPERATION.match(text)
    verb = operation.group(1).upper()[:_LONGEST_NAME] if operation else "QUERY"
    table = _table(text, operation.start(1)) if operation else None
    return Statement(
        verb,
        table,
        text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "...",
        f"{verb} {table}" if table else verb,
        _shape(text, verb),
        verb in TRANSACTION_CONTROL,
    )


_remembered = lru_cache(maxsize=1024)(_parse)


def _table(text: str, start: int) -> str | None:
    for match in _TABLE.finditer(text, start):
        if not _INSIDE_FUNCTION.search(text, max(start, match.start() - _LONGEST_NAME), match.start()):
            return _QUOTES.sub("", match.group(1))[:_LONGEST_NAME]
    return None


def _shape(text: str, verb: str) -> str:
    shape = _LIST.sub(r"(\1)", text)
    if verb in ("INSERT", "REPLACE"):
        shape = _ROWS.sub(r"\1", shape)
    # Two long statements may differ behind the cut only: same columns, another WHERE.
    return shape if len(shape) <= LONGEST_TEXT else f"{shape[:LONGEST_TEXT]}... {crc32(shape.encode('utf-8', 'replace')):08x}"
