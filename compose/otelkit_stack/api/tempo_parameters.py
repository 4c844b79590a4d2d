"""Parameters of Tempo's API, with the words it refuses them in."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from otelkit_stack.api.parameters import BadParameterError
from otelkit_stack.logql.units import go_duration_ns
from otelkit_stack.traceql.search import Window

_SECOND_NS = 1_000_000_000
_LARGEST_NS = 2**63 - 1
_TAG = re.compile(r'\s*([^\s="]+)(?:=("(?:\\.|[^"\\])*"|[^\s"]*))?(?=\s|$)')


def positive_of(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to ``most``."""
    text = given.get(name, "")
    if not text:
        return default
    number = _integer(name, text)
    if number <= 0:
        raise BadParameterError(f"invalid {name}: must be a positive number")
    if number > most:
        raise BadParameterError(f"{name} {number} exceeds max {name} {most}")
    return number


def count_of(given: Mapping[str, str], name: str, default: int) -> int:
    """A whole number; 0 stands for the default, as protobuf cannot tell it from none."""
    number = _integer(name, given.get(name, "") or "0")
    return default if number <= 0 else number


def window_of(given: Mapping[str, str]) -> Window:
    """``start`` and ``end`` in Unix seconds; without them, all that is stored."""
    start, end = (_integer(name, given.get(name, "") or "0") for name in ("start", "end"))
    if start == end == 0:
        return Window(0, _LARGEST_NS)
    if end <= start or start < 0:
        raise BadParameterError(f"http parameter start must be before end. received start={start} end={end}")
    return Window(start * _SECOND_NS, min(end * _SECOND_NS, _LARGEST_NS))


def moment_of(text: str, name: str) -> int:
    """Unix nanoseconds of seconds, with or without a fraction, or of nanoseconds, told apart by the number of digits."""
    try:
        if "." in text:
            return int(float(text) * _SECOND_NS)
        number = int(text)
    except (ValueError, OverflowError):
        raise BadParameterError(f'invalid {name}: parsing "{text}": invalid syntax') from None
    nanoseconds = number if len(text.lstrip("-")) > 10 else number * _SECOND_NS
    if not 0 <= nanoseconds <= _LARGEST_NS:
        raise BadParameterError(f'invalid {name}: parsing "{text}": value out of range')
    return nanoseconds


def range_of(given: Mapping[str, str]) -> tuple[int, int]:
    """``start`` and ``end``, or the time ``since`` until now, as nanoseconds; an hour without any."""
    end = moment_of(given["end"], "end") if given.get("end") else time.time_ns()
    since = duration_of(given, "since")
    start = moment_of(given["start"], "start") if given.get("start") else end - (3600 * _SECOND_NS if since is None else since)
    if end <= start:
        raise BadParameterError("end must be greater than start")
    return start, end


def duration_of(given: Mapping[str, str], name: str) -> int | None:
    """Nanoseconds of ``1.5s``."""
    text = given.get(name, "")
    if not text:
        return None
    try:
        return int(go_duration_ns(text))
    except ValueError as error:
        raise BadParameterError(f"invalid {name}: {error}") from None


def tags_of(given: Mapping[str, str]) -> dict[str, str]:
    """``tags`` as logfmt: ``service.name=orders http.method="GET"``."""
    text, tags, at = given.get("tags", ""), dict[str, str](), 0
    while text[at:].strip():
        match = _TAG.match(text, at)
        if match is None:
            raise BadParameterError(f"invalid tags: unexpected {text[at:].strip()[0]!r} at pos {at + 1}")
        name, value = match[1], match[2] or ""
        if name in tags:
            raise BadParameterError(f"invalid tags: tag {name} has been set twice")
        tags[name] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        at = match.end()
    return tags


def _integer(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise BadParameterError(f'invalid {name}: strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if abs(number) > 2**31 * 1000:
        raise BadParameterError(f'invalid {name}: strconv.ParseInt: parsing "{text}": value out of range')
    return number
