"""What every stage is."""

from __future__ import annotations

from typing import Protocol

from otelkit_stack.logql.line import Line


class Stage(Protocol):
    """Takes a line, may change it in place, and says whether it goes on."""

    def run(self, line: Line) -> bool:
        """Whether the line goes on to the next stage."""
        ...
