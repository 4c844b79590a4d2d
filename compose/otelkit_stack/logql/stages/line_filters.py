"""Filters by the text of a line: ``|= "text"``, ``|~ "expression"``, ``|> "pattern <_>"``, their negations, and ``ip()``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from otelkit_stack.logql.filters import AddressRange
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.patterns import matches_pattern
from otelkit_stack.selectors.regex import compiled

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,}")


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Lets a line pass where any of the tests holds, or, negated, where none does."""

    operator: str
    values: tuple[str | AddressRange, ...]

    def __post_init__(self) -> None:
        """Raises RegexError for an expression that is none, before a line is looked at."""
        if self.operator[1] == "~":
            for value in self.values:
                if isinstance(value, str):
                    compiled(value)

    def run(self, line: Line) -> bool:
        is_negated = self.operator[0] == "!"
        return any(_holds(self.operator[1], value, line.text) for value in self.values) is not is_negated

    @property
    def needed_text(self) -> str | None:
        """A text that every line that passes holds, where there is one: the store looks for it first."""
        value = self.values[0]
        return value if self.operator == "|=" and len(self.values) == 1 and isinstance(value, str) else None


def _holds(kind: str, value: str | AddressRange, text: str) -> bool:
    if isinstance(value, AddressRange):
        return any(_is_inside(value, candidate) for candidate in _ADDRESS.findall(text))
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: value in text,
        "~": lambda: compiled(value).search(text) is not None,
        ">": lambda: matches_pattern(value, text),
    }
    return tests[kind]()


def _is_inside(addresses: AddressRange, text: str) -> bool:
    try:
        return addresses.holds(text.strip("."))
    except ValueError:
        return False
