"""What stands in front of every view: how long an answer may take, and how many are made at once."""

from __future__ import annotations

from otelkit.patterns import resilience

LONGEST_SECONDS = 8.0
MOST_IN_FLIGHT = 40


class Deadlines(resilience.DeadlineMiddleware):
    """What the caller leaves, at most eight seconds: nobody waits longer for a shop."""

    longest = LONGEST_SECONDS


class Shedding(resilience.LoadSheddingMiddleware):
    """Above forty requests at once in a process, or after two seconds in front of it, a quick 503 is the better answer."""

    most_in_flight = MOST_IN_FLIGHT
    longest_queue = 2.0
