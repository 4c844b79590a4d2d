"""Values of a query and of spans: Python's own, and three types that only TraceQL has."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Type(Enum):
    """What operators are checked with; ``ATTRIBUTE`` is what only each span can tell."""

    NIL = "nil"
    ATTRIBUTE = "attribute"
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "bool"
    DURATION = "duration"
    STATUS = "status"
    KIND = "kind"
    ARRAY = "array"

    @property
    def is_numeric(self) -> bool:
        """Whether it compares with numbers."""
        return self in _NUMERIC


_NUMERIC = frozenset({Type.INT, Type.FLOAT, Type.DURATION})


class Duration(int):
    """Nanoseconds that are shown as Go shows them."""

    def __str__(self) -> str:
        return duration_text(self)


class Status(Enum):
    """A span's status, by OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()


class Kind(Enum):
    """A span's kind, by OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5

    def __str__(self) -> str:
        return self.name.lower()


class Many(tuple["Value", ...]):
    """The values that a span's events or links have for one attribute: a condition holds where one of them meets it."""

    __slots__ = ()


class Array(tuple["Value", ...]):
    """An attribute that is a list: ``=`` means one element is equal, ``!=`` that none is."""

    __slots__ = ()


Value = str | bool | int | float | Duration | Status | Kind | Many | Array | None

_TYPES: dict[type, Type] = {
    str: Type.STRING,
    bool: Type.BOOLEAN,
    int: Type.INT,
    float: Type.FLOAT,
    Duration: Type.DURATION,
    Status: Type.STATUS,
    Kind: Type.KIND,
    Array: Type.ARRAY,
    Many: Type.ARRAY,
    type(None): Type.NIL,
}


def type_of(value: Value) -> Type:
    """The type that operators see."""
    return _TYPES[type(value)]


def stored_value(stored: object) -> Value:
    """An attribute as the store keeps it, as a value; objects and lists of them have none, as in Tempo."""
    if type(stored) in (str, int, float, bool):
        return stored  # type: ignore[return-value]
    if isinstance(stored, list) and stored and all(type(item) in (str, int, float, bool) for item in stored):
        return Array(stored)
    return None


def single(value: Value) -> Value:
    """The value to show: of several, the first."""
    return value[0] if type(value) is Many else value


def negative(value: Value) -> Value:
    """The number with the other sign; None for what is no number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return Duration(-value) if isinstance(value, Duration) else -value


def text_of(value: Value) -> str:
    """How Tempo writes the value where it needs a text; ``nil`` for what is not there."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case Duration() | Status() | Kind() | str():
            return str(value)
        case float():
            return _float_text(value)
        case Array() | Many():
            return f"[{', '.join(map(text_of, value))}]"
        case _:
            return str(value)


def _float_text(value: float) -> str:
    text = repr(value)
    return text.removesuffix(".0")


_SCALES: tuple[tuple[int, str], ...] = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))


def duration_text(nanoseconds: int) -> str:
    """The duration as Go's ``time.Duration`` prints it: ``1h2m3.5s``, ``1.5ms``, ``0s``."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -int(nanoseconds)) if nanoseconds < 0 else ("", int(nanoseconds))
    if rest < _SCALES[0][0]:
        scale, unit = next((scale, unit) for scale, unit in _SCALES if rest >= scale)
        return f"{sign}{_decimal(rest, scale)}{unit}"
    minutes, rest = divmod(rest, 60 * _SCALES[0][0])
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, _SCALES[0][0])}s"


def _decimal(value: int, scale: int) -> str:
    whole, fraction = divmod(value, scale)
    digits = f"{fraction:0{len(str(scale)) - 1}d}".rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)


Test = Callable[[Value], bool]
"""Tells whether a text matches, for operators whose right side is a regular expression."""
