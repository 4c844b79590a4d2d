"""An error in words that any database takes, whatever it is and says."""

from __future__ import annotations

from otelkit.logs.exceptions import message_of
from otelkit.safe_text import name_of


def error_text(error: BaseException, longest: int) -> str:
    """The class and the message of an error, without secrets, NUL and lone surrogates, at most ``longest`` characters. Never raises."""
    return f"{name_of(type(error).__qualname__)}: {message_of(error)}".replace("\0", "\\0")[:longest]
