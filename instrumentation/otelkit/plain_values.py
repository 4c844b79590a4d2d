"""Any value as plain JSON data. Nothing that a program logs can raise here, loop here, or flood the line.

What cannot be shown is replaced by a short note in angle brackets, like ``<unserializable Money: TypeError>``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from otelkit.django_values import describe_django_value
from otelkit.redaction import REDACTED, is_sensitive, redact_text
from otelkit.safe_text import safe_text, unserializable

LONGEST_TEXT = 8_192
"""Characters of one value. Loki refuses lines of more than 256 KB."""
LONGEST_KEY = 128
MOST_ENTRIES = 64
"""Entries of one list or dict."""
MOST_NODES = 1_000
"""Values of one line, those inside other values included."""
MOST_CHARACTERS = 65_536
"""Characters of all values of one line together."""
DEEPEST = 6
"""Levels of lists and dicts inside one another."""

_INT64 = range(-(2**63), 2**63)
CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
"""Types whose own ``str()`` has no bounds and no secrets."""
_SEQUENCES = (list, tuple, deque, set, frozenset)
_ISO = (dt.datetime, dt.date, dt.time)
_TEXTUAL = (decimal.Decimal, uuid.UUID)


def truncated(text: str, limit: int) -> str:
    """The text, or its beginning with a note of how long it was."""
    return text if len(text) <= limit else f"{text[:limit]}... [truncated, {len(text)} characters]"


def well_formed(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which UTF-8 cannot express."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16, two halves that belong together become the character they stand for.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Cleaner:
    """Turns the values of one line into JSON data, and counts what the line may still hold."""

    __slots__ = ("_characters", "_nodes", "_open")

    def __init__(self, *, trusting: bool = True) -> None:
        """``trusting=False`` calls no method of any value: for lines that are written while another value is being shown."""
        self._nodes = MOST_NODES if trusting else 0
        self._characters = MOST_CHARACTERS
        self._open: list[int] = []

    def key(self, key: object) -> str:
        """The key as text."""
        text = key if type(key) is str else self._key_text(key)
        return text if len(text) <= LONGEST_KEY and text.isascii() else well_formed(truncated(text, LONGEST_KEY))

    def text(self, text: str, limit: int = LONGEST_TEXT) -> str:
        """The text without secrets and lone surrogates, cut to what the line may still hold."""
        length = len(text)
        if length > limit or length > self._characters:
            text = truncated(text, min(limit, self._characters))
            self._characters = max(0, self._characters - length)
        else:
            self._characters -= length
        return redact_text(text if text.isascii() else well_formed(text))

    def pair(self, key: str, value: object) -> Any:
        """The value of this key, or ``[REDACTED]``."""
        return REDACTED if is_sensitive(key) else self.value(value)

    def value(self, value: object) -> Any:
        """The value as ``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` or ``dict``."""
        # By type and never by isinstance: that asks __class__, and a lazy object loads itself to answer.
        kind = type(value)
        if kind is str:
            return self.text(value)  # type: ignore[arg-type]  # mypy does not narrow by `type() is`
        if kind is bool or value is None:
            return value
        if kind is int and value in _INT64:
            return value
        if kind is float and value - value == 0:  # type: ignore[operator]  # finite
            return value
        if self._nodes <= 0:
            return f"<{kind.__name__}>"
        self._nodes -= 1
        try:
            return self._other(kind, value)
        except Exception as error:  # noqa: BLE001 - any method of the value may raise
            return unserializable(value, error)

    def _other(self, kind: type, value: Any) -> Any:
        if issubclass(kind, str):
            return self.text(str.__str__(value))
        if issubclass(kind, int):
            number = int.__index__(value)
            return number if number in _INT64 else _large(number)
        if issubclass(kind, float):
            number_ = float.__float__(value)
            # JSON has no word for these three, and one that is not JSON loses the whole line.
            return number_ if number_ - number_ == 0 else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(number_)]
        if issubclass(kind, (bytes, bytearray, memoryview)):
            return self.text(bytes(value[: LONGEST_TEXT + 1]).decode("utf-8", "backslashreplace"))
        if issubclass(kind, _ISO):
            return value.isoformat()
        if issubclass(kind, dt.timedelta):
            return value.total_seconds()
        if issubclass(kind, _TEXTUAL):
            return self.text(str(value))
        if (shown := describe_django_value(kind, value)) is not None:
            return self.value(shown.wrapped) if shown.is_proxy else self.text(shown.text)
        return self._container(kind, value)

    def _container(self, kind: type, value: Any) -> Any:
        if issubclass(kind, Mapping):
            return self._nested(value, lambda: self._dict(value.items(), len(value)))
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self._nested(value, lambda: self._dict(zip(kind._fields, value, strict=False), len(value)))
        if issubclass(kind, _SEQUENCES):
            return self._nested(value, lambda: self._list(value, is_ordered=not issubclass(kind, (set, frozenset))))
        if issubclass(kind, BaseException):
            return self.text(f"{kind.__name__}: {safe_text(value)}")
        if dataclasses.is_dataclass(kind):
            # What its author keeps out of the repr is kept out of the log.
            names = [field.name for field in dataclasses.fields(kind) if field.repr]
            return self._nested(value, lambda: self._dict(((name, getattr(value, name, None)) for name in names), len(names)))
        return self.text(safe_text(value))

    def _nested(self, value: object, build: Any) -> Any:
        if id(value) in self._open:
            return "<circular>"
        if len(self._open) >= DEEPEST:
            return "<nested too deep>"
        self._open.append(id(value))
        try:
            return build()
        finally:
            self._open.pop()

    def _dict(self, items: Iterable[tuple[object, object]], size: int) -> dict[str, Any]:
        cleaned = {}
        for key, value in islice(items, MOST_ENTRIES):
            name = self.key(key)
            cleaned[name] = self.pair(name, value)
        if size > MOST_ENTRIES:
            cleaned["..."] = f"<{size - MOST_ENTRIES} more>"
        return cleaned

    def _list(self, values: Any, *, is_ordered: bool) -> list[Any]:
        entries: Iterator[Any] = (self.value(entry) for entry in islice(values, MOST_ENTRIES))
        # A set has another order in each process; sorted, equal sets give equal lines.
        cleaned = list(entries) if is_ordered else sorted(entries, key=str)
        if len(values) > MOST_ENTRIES:
            cleaned.append(f"<{len(values) - MOST_ENTRIES} more>")
        return cleaned

    def _key_text(self, key: object) -> str:
        if type(key) in (int, float, bool) or key is None or issubclass(type(key), str):
            return safe_text(key) if not issubclass(type(key), str) else str.__str__(key)
        return f"<{type(key).__name__}>" if self._nodes <= 0 else safe_text(key)


def _large(number: int) -> str:
    # Decimal digits of a huge number take quadratic time, and Python refuses more than 4,300 of them.
    return str(number) if number.bit_length() <= 1_024 else f"<integer of {number.bit_length()} bits>"
