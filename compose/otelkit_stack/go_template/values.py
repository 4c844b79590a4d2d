"""Values in templates: what Go calls them, whether they count as true, and how they look in text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from otelkit_stack.go_text import general


class Struct(ABC):
    """A value of a type that a language has beside Go's: it counts as true, and knows its fields."""

    __slots__ = ()

    @property
    @abstractmethod
    def kind(self) -> str:
        """The type's name in Go."""

    @abstractmethod
    def field(self, name: str) -> Value:
        """A field. Raises KeyError for one that the type does not have."""

    @abstractmethod
    def text(self) -> str:
        """The value as ``%v`` writes it."""


class AnyMap(dict[str, Any]):
    """A map whose values are of any type, such as an object of JSON: what is not in it is nothing. In other maps it is empty text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time."""

    ns: int


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time."""

    ns: int


Value = str | int | float | bool | None | Struct | Moment | Span | Mapping[str, "Value"] | Sequence["Value"]
Function = Callable[..., Value]


def entry_of(value: Mapping[str, Value], name: str) -> Value:
    """What a map holds under a name, its type's nothing where it holds none."""
    return value.get(name, None if isinstance(value, AnyMap) else "")


def kind_of(value: Value) -> str:
    """The type's name in Go."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case int():
            return "int"
        case float():
            return "float64"
        case None:
            return "<nil>"
        case Moment():
            return "*time.Time"
        case Span():
            return "*time.Duration"
        case AnyMap():
            return "map[string]interface {}"
        case Mapping():
            return "map[string]string"
        case Sequence():
            return "[]interface {}"
    return value.kind


def is_true(value: Value) -> bool:
    """Whether ``if`` takes its first branch."""
    return True if isinstance(value, Struct | Moment | Span) else bool(value)


def shown(value: Value) -> str:
    """The value as ``{{ . }}`` and ``%v`` write it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float():
            return general(value)
        case None:
            return "<nil>"
        case Moment(ns):
            return _moment(ns)
        case Span(ns):
            return _span(ns)
        case Mapping():
            return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
        case Sequence():
            return "[" + " ".join(map(shown, value)) + "]"
        case Struct():
            return value.text()
    return str(value)


def _moment(ns: int) -> str:
    seconds, fraction = divmod(ns, 1_000_000_000)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d %H:%M:%S}{digits} +0000 UTC"


def _span(ns: int) -> str:
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    if ns < 1_000_000_000:
        unit, scale = next(((unit, scale) for unit, scale in (("ms", 10**6), ("µs", 10**3)) if ns >= scale), ("ns", 1))
        return f"{sign}{_decimal(ns, scale)}{unit}" if ns else "0s"
    minutes, rest = divmod(ns, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{before}{_decimal(rest, 10**9)}s"


def _decimal(number: int, scale: int) -> str:
    whole, fraction = divmod(number, scale)
    digits = len(str(scale)) - 1
    return f"{whole}.{fraction:0{digits}d}".rstrip("0").rstrip(".") if digits else str(whole)
