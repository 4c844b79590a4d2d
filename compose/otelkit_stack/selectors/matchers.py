"""Conditions on labels, the part of a selector between braces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from otelkit_stack.go_text import quoted
from otelkit_stack.selectors.regex import compiled

_MOST_KNOWN = 100_000
"""Values that a matcher remembers; rules keep theirs for as long as they are loaded."""

MatchOperator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition, as in ``job="api"``. A label that a series does not have counts as empty.

    Raises RegexError where the value of ``=~`` or ``!~`` is no regular expression.
    """

    name: str
    operator: MatchOperator
    value: str
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            compiled(self.value)

    def matches(self, value: str) -> bool:
        """Whether a label of this value fulfils the condition. Regular expressions are anchored at both ends."""
        match self.operator:
            case "=":
                return value == self.value
            case "!=":
                return value != self.value
        known = self._known.get(value)
        if known is None:
            found = compiled(self.value).fullmatch(value) is not None
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[value] = found is (self.operator == "=~")
        return known

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{quoted(self.value)}"


class Labelled(Protocol):
    """What gives the value of a label, empty for one that it does not have."""

    def get(self, name: str, /) -> str: ...


def select_all(matchers: tuple[Matcher, ...], labels: Labelled) -> bool:
    """Whether a series with these labels fulfils every condition."""
    return all(matcher.matches(labels.get(matcher.name)) for matcher in matchers)
