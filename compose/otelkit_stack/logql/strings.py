"""String literals as Go writes them."""

from __future__ import annotations

import re

from otelkit_stack.logql.errors import LogQLError

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_SINGLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


def unquoted(literal: str) -> str:
    """What a literal between quotes or backticks means. Raises LogQLError for an escape that Go does not know."""
    if literal[0] == "`":
        return literal[1:-1]
    return _ESCAPE.sub(_character, literal[1:-1])


def _character(match: re.Match[str]) -> str:
    text = match[1]
    if text[0] in "xuU" and len(text) > 1:
        return chr(int(text[1:], 16))
    if text[0] in "01234567" and len(text) == 3:
        return chr(int(text, 8))
    if text in _SINGLE:
        return _SINGLE[text]
    raise LogQLError(f"parse error : invalid char escape \\{text}")
