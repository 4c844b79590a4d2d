"""Rate, errors and duration from the SERVER spans of a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from otelkit_stack.records import ServiceRed

ERROR = 2
"""OTLP's StatusCode for a failed span."""


def red_of(requests: Iterable[tuple[str, int, int]], window_s: float) -> tuple[ServiceRed, ...]:
    """One line per service, from (service, status code, duration in nanoseconds) in the order of services."""
    lines = []
    for service, group in groupby(requests, key=itemgetter(0)):
        served = list(group)
        durations = sorted(duration_ns for _, _, duration_ns in served)
        errors = sum(status == ERROR for _, status, _ in served)
        lines.append(
            ServiceRed(
                service=service,
                requests=len(served),
                errors=errors,
                rate=len(served) / window_s,
                error_ratio=errors / len(served),
                p50_s=quantile(durations, 0.5) / 1e9,
                p95_s=quantile(durations, 0.95) / 1e9,
            )
        )
    return tuple(lines)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the sorted, non-empty values lie, linear between two neighbours."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
