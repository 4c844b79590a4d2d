"""What is wrong with a query, in Loki's words where it has some."""

from __future__ import annotations


class LogQLError(ValueError):
    """A query that cannot be answered. Its text is what Loki's clients show; HTTP status 400."""


class ParseError(LogQLError):
    """A text that is no LogQL."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        place = f" at line {line}, col {column}" if line is not None else " "
        super().__init__(f"parse error{place}: {reason}")


class NotSupportedError(LogQLError):
    """LogQL that Loki knows and the embedded stack does not: refused, so that no answer is a wrong one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not supported by the embedded stack.")


class TooMuchError(LogQLError):
    """A query whose answer would be too large."""
