"""Patterns with holes: ``<method> <path> took <_>ms``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line

_HOLE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[str, ...]:
    """Texts and names of holes in turn, beginning and ending with a text, which may be empty."""
    pieces = _HOLE.split(pattern)
    if len(pieces) == 1:
        raise LogQLError("parse error : at least one capture is required")
    if any(not text for text in pieces[2:-1:2]):
        raise LogQLError("parse error : found consecutive capture")
    return tuple(pieces)


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether the line has the pattern's texts in their order; holes are ``<_>``, and the whole line must fit."""
    parts = pattern.split("<_>")
    if len(parts) == 1:
        return text == pattern
    if not text.startswith(parts[0]):
        return False
    at = len(parts[0])
    for part in parts[1:-1]:
        found = text.find(part, at + 1 if part else at)
        if found < 0:
            return False
        at = found + len(part)
    return not parts[-1] or (text.endswith(parts[-1]) and len(text) - len(parts[-1]) > at)


@dataclass(frozen=True, slots=True)
class PatternParser:
    """``| pattern "..."``: the holes become labels, as far as the line fits. Raises LogQLError for a pattern without names."""

    pattern: str

    def __post_init__(self) -> None:
        names = [name for name in _pieces(self.pattern)[1::2] if name != "_"]
        if not names:
            raise LogQLError("parse error : at least one capture is required")
        if len(set(names)) != len(names):
            raise LogQLError(f"parse error : duplicate capture name ({names[0]})")

    def run(self, line: Line) -> bool:
        for name, value in self._captures(line.text):
            line.extract(name, value)
        return True

    def _captures(self, text: str) -> list[tuple[str, str]]:
        pieces = _pieces(self.pattern)
        if not text.startswith(pieces[0]):
            return []
        at, found = len(pieces[0]), []
        for name, following in zip(pieces[1::2], pieces[2::2], strict=True):
            end = text.find(following, at) if following else len(text)
            value = text[at:] if end < 0 else text[at:end]
            if name != "_":
                found.append((name, value))
            if end < 0:  # the rest of the line is not as the pattern has it
                break
            at = end + len(following)
        return found
