"""SQL without its literals: what a statement does, never whom it does it to.

Only for statements that carry their values in their text. Parameterised text holds none and is recorded as it is.
Where dialects disagree about what is a literal, the reading that hides more wins.
"""

from __future__ import annotations

import re

LONGEST_STATEMENT = 2048
"""Characters of the answer."""

_LONGEST_INPUT = 65_536

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|\#(?![>#\-=])[^\n]*)
    | (?P<block>/\*)
    | \$(?P<dollar>(?:[^\W\d]\w*)?)\$
    | (?P<string>(?:[ENBXenbx]|[Uu]&)?'[^']*(?:''[^']*)*(?:'|\Z))
    | (?P<quoted>"[^"]*(?:""[^"]*)*(?:"|\Z))
    | (?P<name>`[^`]*(?:`|\Z))
    | (?P<placeholder>%\(\w+\)s|%s|\$\d+|::|(?<![\w\])]):\w+)
    | (?P<number>0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?\w*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<space>\s+)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED_QUOTE = re.compile(r"\\['\"]")
_LIKE_ESCAPE = re.compile(r"\bESCAPE\s+'\\'", re.IGNORECASE)
# Possessive throughout: a list that does not end must not be tried in every combination. Whitespace is single spaces by then.
_VALUE = r" ?+(?:[-+] ?+)?+\? ?+(?::: ?+\w++ ?+)?+"
_IN_LIST = re.compile(rf"\bIN ?+\({_VALUE}(?:,{_VALUE})*+\)", re.IGNORECASE)
_ARRAY = re.compile(rf"\bARRAY ?+\[{_VALUE}(?:,{_VALUE})*+\]", re.IGNORECASE)
_ROWS = re.compile(r"(\([?, ]*+\))(?: ?+, ?+\([?, ]*+\))++")
_COMPARISONS = frozenset({"=", "<", ">", "LIKE", "ILIKE", "GLOB", "REGEXP", "RLIKE", "BETWEEN"})
_LISTS = frozenset({"IN", "VALUES"})


def sanitize_sql(statement: str) -> str:
    """The statement with ``?`` for each literal, without comments, at most :data:`LONGEST_STATEMENT` characters.

    Identifiers and placeholders stay. A double-quoted word is an identifier, but where the statement quotes names with
    backticks (MySQL) or compares with it or lists it (SQLite takes such words for strings), it is a literal.
    A list of literals behind ``IN``, an array of them and rows of them become one, so that one query keeps one text.
    """
    whole, statement = statement, _LIKE_ESCAPE.sub("ESCAPE ?", statement[:_LONGEST_INPUT])
    if _ESCAPED_QUOTE.search(statement):
        statement = _without_quoted_stretch(statement, is_cut=len(whole) > _LONGEST_INPUT)
    text = "".join(_sanitized(statement)).strip()
    text = _ROWS.sub(r"\1", _ARRAY.sub("ARRAY[?]", _IN_LIST.sub("IN (?)", text)))
    return text if len(text) <= LONGEST_STATEMENT else text[:LONGEST_STATEMENT] + "..."


def _without_quoted_stretch(statement: str, *, is_cut: bool) -> str:
    """One literal in place of everything between the first quote and the last; of a statement that was cut, everything behind the first.

    ``'a\\'`` is a whole string in PostgreSQL and an unfinished one in MySQL. Guessing wrong would print the next literal.
    """
    first = min(position for quote in "'\"" if (position := statement.find(quote)) >= 0)
    last = len(statement) if is_cut else max(statement.rfind("'"), statement.rfind('"'))
    return f"{statement[:first]} ? {statement[last + 1 :]}"


def _sanitized(statement: str) -> list[str]:
    parts: list[str] = []
    backticks = "`" in statement
    before = ""  # The token before, in capitals.
    listed = 0  # How deep inside the brackets of a list of values.
    awaiting_list = False
    position = 0
    while match := _TOKEN.match(statement, position):
        position = match.end()
        kind, text = match.lastgroup, match[0]
        if kind in ("space", "comment", "block"):
            position = _end_of_block(statement, position) if kind == "block" else position
            if parts and parts[-1] != " ":
                parts.append(" ")
            continue
        if kind == "dollar":
            end = statement.find(text, position)
            position = len(statement) if end < 0 else end + len(text)
            text = "?"
        elif kind in ("string", "number"):
            text = "?"
        elif kind == "quoted":
            is_value = backticks or before in _COMPARISONS or bool(listed)
            text = "?" if is_value and statement[position : position + 1] != "." and before != "." else text
        elif text == "(":
            listed += 1 if awaiting_list or listed else 0
        elif text == ")":
            listed = max(0, listed - 1)
        elif kind == "word" and (not listed or text.upper() == "SELECT"):
            awaiting_list = text.upper() in _LISTS
            listed = 0
        before = text.upper() if len(text) < 16 else ""
        parts.append(text)
    return parts


def _end_of_block(statement: str, position: int) -> int:
    """Where the block comment ends. Nested comments are followed, as PostgreSQL does; an open one takes the rest."""
    depth = 1
    for mark in re.compile(r"/\*|\*/").finditer(statement, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(statement)
