"""A template's text cut into actions, and an action into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:\\.|[^"\\])*"|`[^`]*`)
  | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<variable>\$[A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
  | (?P<field>\.[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)
  | (?P<dot>\.)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<mark>:=|[|(),=])
)""",
    re.VERBOSE | re.DOTALL,
)


class TemplateError(ValueError):
    """A template that cannot be read, or whose functions refuse their arguments."""


class WrongArgumentsError(Exception):
    """A function was given too few arguments; the text says how many it wants."""


class Token(NamedTuple):
    """``kind`` is the name of a group above, ``at`` where it begins in the template, as ``line:column``."""

    kind: str
    text: str
    at: str = ""


class Piece(NamedTuple):
    """Text to be printed as it is, or the inside of an action."""

    text: str
    is_action: bool
    start: int = 0


def pieces(template: str) -> Iterator[Piece]:
    """Texts and actions in turn; ``{{-`` and ``-}}`` take the white space beside them. Raises TemplateError for an open action."""
    at, trims = 0, False
    for match in _ACTION.finditer(template):
        text = template[at : match.start()]
        yield Piece(_trimmed(text, left=trims, right=bool(match[1])), is_action=False)
        if not match[2].lstrip().startswith("/*"):
            yield Piece(match[2].strip(), True, match.start(2) + len(match[2]) - len(match[2].lstrip()))
        at, trims = match.end(), bool(match[3])
    rest = template[at:]
    if "{{" in rest:
        raise TemplateError("unclosed action")
    yield Piece(_trimmed(rest, left=trims, right=False), is_action=False)


def _trimmed(text: str, *, left: bool, right: bool) -> str:
    text = text.lstrip() if left else text
    return text.rstrip() if right else text


def tokens(action: str, template: str = "", start: int = 0) -> list[Token]:
    """The tokens of an action that begins at ``start`` of the template. Raises TemplateError for a character that starts none."""
    at, found = 0, []
    while at < len(action.rstrip()):
        match = _TOKEN.match(action, at)
        if match is None or match.lastgroup is None:
            raise TemplateError(f"unexpected {action[at:].strip()[:1]!r} in command")
        position = start + match.start(match.lastgroup)
        before = template[:position]
        place = f"{before.count(chr(10)) + 1}:{len(before[before.rfind(chr(10)) + 1 :].encode())}"
        found.append(Token(match.lastgroup, match[match.lastgroup], place))
        at = match.end()
    return found
