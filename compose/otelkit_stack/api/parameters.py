"""Parameters of the query APIs: times, durations, numbers, as Loki's and Prometheus' clients write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.requests import Request

from otelkit_stack.logql.units import duration_ns


async def parameters_of(request: Request) -> dict[str, list[str]]:
    """What the query and, of a POST, the form say: every value of each name."""
    given: dict[str, list[str]] = {name: request.query_params.getlist(name) for name in request.query_params}
    if request.method == "POST":
        for name, values in parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True).items():
            given.setdefault(name, []).extend(values)
    return given


class BadParameterError(ValueError):
    """A parameter that cannot be read; HTTP status 400."""


def time_parameter(given: Mapping[str, str], name: str, default_ns: int) -> int:
    """Unix nanoseconds of nanoseconds, seconds with or without a fraction, or RFC 3339."""
    text = given.get(name, "")
    if not text:
        return default_ns
    try:
        if "." not in text and "e" not in text.lower():
            number = int(text)
            return number if len(text.lstrip("-")) > 10 else number * 1_000_000_000
        if text[:1].isdigit() and "T" not in text:
            return int(float(text) * 1e9)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6) * 1000
    except ValueError:
        raise BadParameterError(f'could not parse {name}: parsing time "{text}" as a number or RFC 3339') from None


def duration_parameter(given: Mapping[str, str], name: str, default_ns: int) -> int:
    """Nanoseconds of ``15s`` or of seconds."""
    text = given.get(name, "")
    if not text:
        return default_ns
    try:
        return int(float(text) * 1e9)
    except ValueError:
        pass
    try:
        return int(duration_ns(text))
    except ValueError:
        raise BadParameterError(f'cannot parse "{text}" to a valid duration') from None


def integer_parameter(given: Mapping[str, str], name: str, default: int) -> int:
    """A whole number."""
    text = given.get(name, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise BadParameterError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
