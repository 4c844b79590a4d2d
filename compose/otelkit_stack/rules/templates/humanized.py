"""Numbers for people: Prometheus' ``humanize`` functions."""

from __future__ import annotations

import math

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.values import Moment, Span, Value, kind_of, shown

_LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")


def number(value: Value) -> float:
    """The value as a number. Raises TemplateError for what is none."""
    match value:
        case bool() | None:
            pass
        case int() | float():
            return float(value)
        case Span(ns):
            return ns / 1e9
        case str():
            try:
                return float(value)
            except ValueError:
                raise TemplateError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None
    raise TemplateError(f"can't convert {kind_of(value)} to float")


def humanize(value: Value) -> str:
    """With a metric prefix."""
    v = number(value)
    if v == 0 or not math.isfinite(v):
        return _four(v)
    return _scaled_up(v, 1000, _LARGE) if abs(v) >= 1 else _scaled_down(v)


def humanize1024(value: Value) -> str:
    """With a binary prefix."""
    v = number(value)
    return (
        _four(v) if abs(v) <= 1 or not math.isfinite(v) else _scaled_up(v, 1024, tuple(f"{prefix.replace('K', 'k')}i" for prefix in _LARGE))
    )


def humanize_percentage(value: Value) -> str:
    """A ratio as a percentage."""
    return f"{_four(number(value) * 100)}%"


def humanize_duration(value: Value) -> str:
    """Seconds as days, hours, minutes and seconds."""
    v = number(value)
    if not math.isfinite(v):
        return _four(v)
    if v == 0:
        return "0s"
    if abs(v) < 1:
        return f"{_scaled_down(v)}s"
    sign, v = ("-", -v) if v < 0 else ("", v)
    minutes, seconds = divmod(int(v), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{_four(v)}s"


def humanize_timestamp(value: Value) -> str:
    """Seconds since the epoch as a date and a time."""
    v = number(value)
    return shown(moment(v)) if math.isfinite(v) else _four(v)


def moment(seconds: float) -> Moment:
    """A point in time, in milliseconds. Raises TemplateError for what is none."""
    if not math.isfinite(seconds):
        raise TemplateError("value is NaN or Inf")
    if abs(seconds * 1e9) > 2**63 - 1:
        raise TemplateError(f"{shown(seconds)} cannot be represented as a nanoseconds timestamp since it overflows int64")
    return Moment(int(seconds * 1e9) // 1_000_000 * 1_000_000)


def _scaled_up(v: float, base: int, prefixes: tuple[str, ...]) -> str:
    prefix = ""
    for larger in prefixes:
        if abs(v) < base:
            break
        prefix, v = larger, v / base
    return _four(v) + prefix


def _scaled_down(v: float) -> str:
    prefix = ""
    for smaller in _SMALL:
        if abs(v) >= 1:
            break
        prefix, v = smaller, v * 1000
    return _four(v) + prefix


def _four(v: float) -> str:
    """``%.4g``."""
    return shown(v) if not math.isfinite(v) else f"{v:.4g}"
