"""The labels of one series."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Self

from otelkit_stack.go_text import quoted

METRIC_NAME = "__name__"
BUCKET = "le"
METADATA = frozenset((METRIC_NAME, "__type__", "__unit__"))
"""Labels that say what a value is: arithmetic makes it something else, so its result loses them."""

_PLAIN_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class Labels(tuple[tuple[str, str], ...]):
    """Pairs of name and value, sorted by name, none of them with an empty value.

    Comparing two of them orders them as Prometheus orders the series of an answer.
    """

    __slots__ = ()

    @classmethod
    def of(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Self:
        """Labels from pairs in any order; an empty value means that there is no such label."""
        return cls(sorted((name, value) for name, value in dict(pairs).items() if value))

    def get(self, name: str) -> str:
        """The label's value; ``""`` where there is none."""
        for its_name, value in self:
            if its_name == name:
                return value
        return ""

    def keep(self, names: Collection[str]) -> Labels:
        """Only the labels of these names."""
        return Labels([pair for pair in self if pair[0] in names])

    def drop(self, names: Collection[str]) -> Labels:
        """All but the labels of these names."""
        return Labels([pair for pair in self if pair[0] not in names])

    def replace(self, name: str, value: str) -> Labels:
        """With this label set to the value; an empty value removes it."""
        return Labels.of({**dict(self), name: value})

    def __str__(self) -> str:
        pairs = (f"{name if _PLAIN_NAME.fullmatch(name) else quoted(name)}={quoted(value)}" for name, value in self)
        return "{" + ", ".join(pairs) + "}"


NO_LABELS = Labels()


def is_label_name(text: str) -> bool:
    """Whether a label can be called so: anything in UTF-8 that is not empty."""
    return bool(text) and not any(0xD800 <= ord(character) <= 0xDFFF for character in text)
