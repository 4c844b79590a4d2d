"""Moments as the APIs of Prometheus and Alertmanager write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time."""


def time_text(time_ms: int | None) -> str:
    """RFC 3339 in UTC, with as many digits of the second as it takes; None is :data:`NEVER`."""
    if time_ms is None:
        return NEVER
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    fraction = f".{time_ms % 1000:03d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
