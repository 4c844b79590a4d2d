"""Durations and sizes as LogQL writes them, in queries and in log lines."""

from __future__ import annotations

import re

NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
    "y": 31_536_000_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|[smhdwy])")
_BYTES = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")
_GO_UNITS = frozenset({"ns", "us", "µs", "μs", "ms", "s", "m", "h"})


def duration_ns(text: str) -> float:
    """Nanoseconds of ``1h30m`` or ``1.5s``; a sign may stand in front. Raises ValueError for what is no duration."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    position, total = 0, 0.0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f'time: invalid duration "{text}"')
        total += float(part[1]) * NANOSECONDS[part[2]]
        position = part.end()
    if not rest:
        raise ValueError('time: invalid duration ""')
    return sign * total


def go_duration_ns(text: str) -> float:
    """The same for a value in a log line, where Go knows nothing above hours."""
    for part in _PART.finditer(text):
        if part[2] not in _GO_UNITS:
            raise ValueError(f'time: unknown unit "{part[2]}" in duration "{text}"')
    return duration_ns(text)


_DECIMAL = {
    "": 1,
    "b": 1,
    "k": 1e3,
    "kb": 1e3,
    "m": 1e6,
    "mb": 1e6,
    "g": 1e9,
    "gb": 1e9,
    "t": 1e12,
    "tb": 1e12,
    "p": 1e15,
    "pb": 1e15,
    "e": 1e18,
    "eb": 1e18,
}
_BINARY = {f"{letter}{ending}": 1024.0**power for power, letter in enumerate("kmgtpe", 1) for ending in ("i", "ib")}


def size_bytes(text: str) -> float:
    """Bytes of ``3.5MB`` (a million) or ``3.5MiB``. Raises ValueError for what is no size."""
    match = _BYTES.fullmatch(text)
    unit = match[2].lower() if match else ""
    factor = _DECIMAL.get(unit) or _BINARY.get(unit)
    if match is None or factor is None:
        raise ValueError(f'strconv.ParseFloat: parsing "{text}": invalid syntax')
    return float(int(float(match[1]) * factor))
