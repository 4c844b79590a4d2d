"""A template as text and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from otelkit_stack.go_template.errors import TemplateError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<character>'(?:[^'\\\n]|\\.)+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*)?\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9][0-9_]*\.)(?![\w.]))
    |(?P<variable>\$\w*)
    |(?P<field>\.\w+)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<symbol>:=|=|\||\(|\)|,|\.)
    """,
    re.VERBOSE | re.DOTALL,
)
_END = re.compile(r"\s*(?P<trim>(?<=\s)-)?\}\}")


@dataclass(frozen=True, slots=True)
class Token:
    """Part of an action. ``follows_space`` tells ``$labels .x`` from ``$labels.x``."""

    kind: str
    text: str
    follows_space: bool
    place: str = ""
    """Line and byte of the line in the template."""

    @property
    def line(self) -> int:
        """The line, the first being 1."""
        return int(self.place.partition(":")[0] or 1)


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between ``{{`` and ``}}``."""

    tokens: tuple[Token, ...]
    line: int = 1


def split(source: str) -> Iterator[str | Action]:
    """Texts and actions, in turn. Raises TemplateError."""
    at = 0
    trims_next = False
    while True:
        opening = source.find("{{", at)
        text = source[at:] if opening < 0 else source[at:opening]
        if trims_next:
            text = text.lstrip(" \t\r\n")
        if opening < 0:
            if text:
                yield text
            return
        start = opening + 2
        if re.match(r"-\s", source[start:]):
            text, start = text.rstrip(" \t\r\n"), start + 1
        if text:
            yield text
        action, at, trims_next = _action(source, start)
        if action is not None:
            yield action


def line_of(source: str, at: int) -> int:
    """The line of a place in the template, the first being 1."""
    return source.count("\n", 0, at) + 1


def _place(source: str, at: int) -> str:
    before = source[source.rfind("\n", 0, at) + 1 : at]
    return f"{line_of(source, at)}:{len(before.encode(errors='surrogateescape'))}"


def _action(source: str, start: int) -> tuple[Action | None, int, bool]:
    if comment := re.compile(r"\s*/\*").match(source, start):
        closing = source.find("*/", comment.end())
        end = _END.match(source, closing + 2) if closing >= 0 else None
        if end is None:
            raise TemplateError("unclosed comment", line_of(source, start))
        return None, end.end(), end["trim"] is not None
    tokens: list[Token] = []
    follows_space = True
    at = start
    while True:
        if end := _END.match(source, at):
            return Action(tuple(tokens), line_of(source, start)), end.end(), end["trim"] is not None
        token = _TOKEN.match(source, at)
        if token is None:
            rest = source[at : at + 1]
            raise TemplateError(f"unexpected {rest!r} in an action" if rest else "unclosed action", line_of(source, at))
        kind = token.lastgroup or ""
        if kind != "space":
            tokens.append(Token(kind, token[0], follows_space, _place(source, at)))
        follows_space = kind == "space"
        at = token.end()
