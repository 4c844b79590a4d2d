"""Values of a JSON text as they are written there, spaces and digits included."""

from __future__ import annotations

import json
import re

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\n\r]*")


def raw_value(text: str, steps: list[int | str], start: int = 0) -> str | None:
    """The piece of the text that is the value at the end of the steps; None where there is none. The text must be JSON."""
    start = _skip(text, start)
    if not steps:
        return text[start : _DECODER.raw_decode(text, start)[1]]
    wanted, *rest = steps
    opening, is_object = ("{", True) if isinstance(wanted, str) else ("[", False)
    if text[start] != opening:
        return None
    at, position = _skip(text, start + 1), 0
    while text[at] not in "}]":
        key: int | str = position
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # behind the colon
        if key == wanted:
            return raw_value(text, rest, at)
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
        position += 1
    return None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
