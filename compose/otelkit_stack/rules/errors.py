"""What is wrong with rules."""

from __future__ import annotations

from collections.abc import Sequence

from otelkit_stack.errors import StackError


class RuleFileError(StackError):
    """A rule file that cannot be loaded; ``problems`` are all that was found, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class RuleError(Exception):
    """A rule whose evaluation failed. The other rules are evaluated all the same."""
