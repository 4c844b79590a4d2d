"""``| drop`` and ``| keep``, and label filters as a stage."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit_stack.logql.filters import LabelFilter
from otelkit_stack.logql.line import ERROR, ERROR_DETAILS, Line
from otelkit_stack.selectors.matchers import Matcher

Choice = tuple[str, Matcher | None]
"""A label, and the condition under which it is meant."""


@dataclass(frozen=True, slots=True)
class FilterStage:
    """A filter by labels."""

    condition: LabelFilter

    def run(self, line: Line) -> bool:
        return self.condition.accepts(line)


@dataclass(frozen=True, slots=True)
class Drop:
    """Takes labels away."""

    choices: tuple[Choice, ...]

    def run(self, line: Line) -> bool:
        for name, matcher in self.choices:
            if matcher is not None and not matcher.matches(line.get(name)):
                continue
            if name in (ERROR, ERROR_DETAILS):
                line.set(name, "")
            else:
                line.remove(name)
        return True


@dataclass(frozen=True, slots=True)
class Keep:
    """Takes all other labels away."""

    choices: tuple[Choice, ...]

    def run(self, line: Line) -> bool:
        for name in [*line.labels]:
            if not any(name == kept and (matcher is None or matcher.matches(line.labels[name])) for kept, matcher in self.choices):
                line.remove(name)
        return True
