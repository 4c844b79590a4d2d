"""Conditions on labels that compare text: ``=``, ``!=``, ``=~``, ``!~``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from otelkit_stack.logql.regex import compiled

MatchOperator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition; a label that is not there counts as empty. Raises RegexError where the value should be an expression and is none."""

    name: str
    operator: MatchOperator
    value: str
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            compiled(self.value)

    def matches(self, text: str) -> bool:
        """Whether a label of this value fits. Expressions are anchored at both ends."""
        if self.operator == "=":
            return text == self.value
        if self.operator == "!=":
            return text != self.value
        known = self._known.get(text)
        if known is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            found = compiled(self.value).fullmatch(text) is not None
            known = self._known[text] = found is (self.operator == "=~")
        return known


_MOST_KNOWN = 10_000
