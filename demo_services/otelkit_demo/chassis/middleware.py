"""What stands in front of every view: how long an answer may take, how many are made at once, and which versions end."""

from __future__ import annotations

from datetime import UTC, datetime

from otelkit.patterns import api, resilience

LONGEST_SECONDS = 8.0
MOST_IN_FLIGHT = 40


class Deadlines(resilience.DeadlineMiddleware):
    """What the caller leaves, at most eight seconds: nobody waits longer for a shop."""

    longest = LONGEST_SECONDS


class Shedding(resilience.LoadSheddingMiddleware):
    """Above forty requests at once in a process, or after two seconds in front of it, a quick 503 is the better answer."""

    most_in_flight = MOST_IN_FLIGHT
    longest_queue = 2.0


class Versions(api.VersionMiddleware):
    """v1 is what old apps call; it ends, at the gateway and behind it."""

    versions = (
        api.Version(
            "v1",
            deprecated=datetime(2026, 9, 1, tzinfo=UTC),
            sunset=datetime(2027, 3, 1, tzinfo=UTC),
            link="https://shop.example/api/v2",
        ),
        api.Version("v2"),
    )
