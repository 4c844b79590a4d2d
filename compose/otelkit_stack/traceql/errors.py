"""What is wrong with a query, in Tempo's words where it has some."""

from __future__ import annotations


class TraceQLError(ValueError):
    """A query that cannot be answered. Its text is what Tempo's clients show; HTTP status 400."""


class ParseError(TraceQLError):
    """A text that is no TraceQL."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"parse error at line {line}, col {column}: {reason}")


class NotSupportedError(TraceQLError):
    """TraceQL that Tempo's grammar knows and nobody answers, or only Tempo: refused, so that no answer is a wrong one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not yet supported")


class TooMuchError(TraceQLError):
    """A query that would read or return more than one answer may."""


class TooSlowError(Exception):
    """A query that took longer than one answer may; HTTP status 504."""
