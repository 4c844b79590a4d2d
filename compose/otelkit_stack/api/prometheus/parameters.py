"""Parameters as Prometheus reads them: times in seconds, durations, limits. What cannot be read is BadParameterError, in its words.

Source: ``parseTime``, ``parseDuration`` and ``parseLimitParam`` in ``web/api/v1/api.go`` of Prometheus 3.14.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

from otelkit_stack.promql import durations
from otelkit_stack.promql.errors import BadParameterError

Given = Mapping[str, Sequence[str]]
"""Every value of each parameter."""

EARLIEST_MS, LATEST_MS = -(2**53), 2**53
"""Where a time that is not given begins and ends."""
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def text_of(given: Given, name: str) -> str:
    """The first value of a parameter; empty where there is none."""
    values = given.get(name)
    return values[0] if values else ""


def invalid(name: str, reason: str) -> NoReturn:
    """Raises the error of a parameter."""
    raise BadParameterError(f'invalid parameter "{name}": {reason}')


def time_ms(given: Given, name: str, default_ms: int | None = None) -> int:
    """Unix milliseconds of seconds or RFC 3339. Without a default the parameter has to be there."""
    text = text_of(given, name)
    if not text and default_ms is not None:
        return default_ms
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and abs(seconds * 1000) < LATEST_MS:
        return round(seconds * 1000)
    try:
        if _RFC_3339.fullmatch(text):
            return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)
    except ValueError:
        pass
    invalid(name, f'cannot parse "{text}" to a valid timestamp')


def span_ms(given: Given) -> tuple[int, int]:
    """``start`` and ``end`` in Unix milliseconds, all of time where they are absent."""
    start, end = time_ms(given, "start", EARLIEST_MS), time_ms(given, "end", LATEST_MS)
    if end < start:
        invalid("end", "end timestamp must not be before start timestamp")
    return start, end


def length_ms(given: Given, name: str) -> int:
    """Milliseconds of ``15s`` or of seconds. The parameter has to be there."""
    text = text_of(given, name)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds):
        if abs(seconds) * 1e9 > durations.LONGEST:
            invalid(name, f'cannot parse "{text}" to a valid duration. It overflows int64')
        return int(seconds * 1000)
    try:
        return durations.milliseconds(durations.parse(text))
    except ValueError:
        invalid(name, f'cannot parse "{text}" to a valid duration')


def limit_of(given: Given, name: str = "limit") -> int:
    """How much is asked for; 0 for all."""
    text = text_of(given, name)
    if not text:
        return 0
    try:
        number = int(text)
    except ValueError:
        invalid(name, f'strconv.Atoi: parsing "{text}": invalid syntax')
    if number < 0:
        invalid(name, "limit must be non-negative")
    return number
