"""Lengths of time as PromQL writes them. Inside, a length is a whole number of nanoseconds, as in Prometheus."""

from __future__ import annotations

import math
import re

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
LONGEST = 2**63 - 1
"""Nanoseconds that Prometheus can count, 292 years."""

_UNITS_MS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_ORDER = list(_UNITS_MS)
_PART = re.compile(r"([0-9]+)([a-z]+)")


def parse(text: str) -> int:
    """Nanoseconds of ``5m``, ``1h30m`` or ``0``. Raises ValueError, in Prometheus' words, for what is no duration."""
    if text == "0":
        return 0
    if not text:
        raise ValueError("empty duration string")
    length, at, largest = 0, 0, -1
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise ValueError(f'not a valid duration string: "{text}"')
        count, unit = part.groups()
        if unit not in _UNITS_MS:
            raise ValueError(f'unknown unit "{unit}" in duration "{text}"')
        if _ORDER.index(unit) <= largest:
            raise ValueError(f'not a valid duration string: "{text}"')
        largest = _ORDER.index(unit)
        length += int(count) * _UNITS_MS[unit] * MILLISECOND
        if length > LONGEST:
            raise ValueError("duration out of range")
        at = part.end()
    return length


def from_seconds(seconds: float) -> int:
    """Nanoseconds, rounded half away from zero; for NaN the smallest number that Go's integers have."""
    if math.isnan(seconds):
        return -(2**63)
    length = seconds * SECOND
    return int(length + 0.5) if length >= 0 else -int(0.5 - length)


def is_out_of_range(seconds: float) -> bool:
    """Whether so many seconds do not fit into Prometheus' nanoseconds."""
    return abs(seconds) > 2**63 / 1e9


def milliseconds(length: int) -> int:
    """Whole milliseconds of a length, the rest cut off."""
    return length // MILLISECOND if length >= 0 else -(-length // MILLISECOND)


def seconds(length: int) -> float:
    """Seconds of a length."""
    whole, rest = divmod(abs(length), SECOND)
    value = whole + rest / 1e9
    return value if length >= 0 else -value


def text(length_ms: int) -> str:
    """Milliseconds as Prometheus writes them: ``1h30m``, years, weeks and days only where nothing is left over."""
    parts = []
    for unit, size in _UNITS_MS.items():
        if unit in ("y", "w", "d") and length_ms % size:
            continue
        count, length_ms = divmod(length_ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
