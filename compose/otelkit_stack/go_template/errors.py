"""What is wrong with a template."""

from __future__ import annotations


class TemplateError(ValueError):
    """A template that cannot be read, or that fails on its data."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line
