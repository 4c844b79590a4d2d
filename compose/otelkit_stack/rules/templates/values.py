"""Values in templates: what Go calls them, whether they count as true, and how they look in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from otelkit_stack.promql.go_text import general


@dataclass(frozen=True, slots=True)
class Sample:
    """A series of a query's answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time."""

    ns: int


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time."""

    ns: int


@dataclass(frozen=True, slots=True)
class Data:
    """What ``.`` is at the beginning: fields, and nothing else."""

    fields: Mapping[str, Value]


Value = str | int | float | bool | None | Sample | Data | Moment | Span | Mapping[str, "Value"] | Sequence["Value"]


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
        case Sample():
            return "*template.sample"
        case Data(fields):
            return "struct { " + "; ".join(f"{name} {kind_of(value)}" for name, value in fields.items()) + " }"
        case Moment():
            return "*time.Time"
        case Span():
            return "*time.Duration"
        case Mapping():
            return "map[string]string"
    return "template.queryResult"


def is_true(value: Value) -> bool:
    """Whether ``if`` takes its first branch."""
    if isinstance(value, Sample | Data | Moment | Span):
        return True
    return bool(value)


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
        case Sample(labels, number):
            return f"&{{{shown(dict(labels))} {general(number)}}}"
        case Data(fields):
            return "{" + " ".join(map(shown, fields.values())) + "}"
        case Mapping():
            return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
        case Sequence():
            return "[" + " ".join(map(shown, value)) + "]"
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
