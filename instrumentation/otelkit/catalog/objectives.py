"""Service level objectives and thresholds: alerts fire on them, panels draw them as lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise over ``days`` days: the share of good requests that ``target`` asks for."""

    name: str
    target: float
    days: int
    help: str

    @property
    def budget(self) -> float:
        """Share of requests that may be bad."""
        # Rounded: 1 - 0.999 is 0.0010000000000000009, and that would be printed into every rule.
        return round(1 - self.target, 9)


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One row of the multi-window, multi-burn-rate table (Google SRE workbook, chapter 5).

    The alert fires when the budget burns ``factor`` times too fast over both the ``long`` and the ``short`` window.
    """

    long: str
    short: str
    factor: float
    hold: str
    pages: bool


AVAILABILITY = Objective("availability", 0.999, 30, "Requests that are not answered with a 5xx.")
LATENCY = Objective("latency", 0.99, 30, "Requests that are answered within LATENCY_THRESHOLD seconds.")
LATENCY_THRESHOLD = 0.5
"""Seconds. Must be a bucket of http.server.request.duration, and no whole number: `le` of 1 has two spellings."""

OBJECTIVES: tuple[Objective, ...] = (AVAILABILITY, LATENCY)

BURN_WINDOWS: tuple[BurnWindow, ...] = (
    BurnWindow("1h", "5m", 14.4, "2m", pages=True),
    BurnWindow("6h", "30m", 6.0, "15m", pages=True),
    BurnWindow("1d", "2h", 3.0, "1h", pages=False),
    BurnWindow("3d", "6h", 1.0, "3h", pages=False),
)

TRAFFIC_FLOOR = 0.02
"""Requests a second below which ratios say nothing: one failure of ten requests should wake nobody."""

EXPORT_ERROR_RATIO = 0.1
"""Share of exports that may fail before somebody should look at the pipeline."""

TELEMETRY_LOSS_RATIO = 0.01
"""Share of spans, log lines and points that may be dropped before the other boards stop telling the truth."""

OUTBOX_AGE = 60.0
"""Seconds that an event may wait in an outbox before somebody should look at its relay."""

TASK_AGE = 300.0
"""Seconds that a task may wait in its queue before somebody should look at its workers."""

LOGIN_FAILURE_RATE = 0.5
"""Failed log-ins a second above which somebody tries passwords: 150 in five minutes."""

LOGIN_FAILURE_RATIO = 0.5
"""Share of log-ins that may fail before it is the door that is broken, and not the visitors."""

TOKEN_REJECTION_RATIO = 0.01
"""Share of tokens that may be refused: services renew theirs in time, so that nearly none is."""

SAGA_AGE = 120.0
"""Seconds that a saga may be under way while it waits for nobody outside."""

COMPENSATION_RATIO = 0.1
"""Share of sagas that may be taken back; some always are, as customers change their minds."""

RETRY_RATIO = 0.2
"""Retries for each call above which they are load of their own; the kit's budget allows half of it."""

DEGRADED_RATIO = 0.05
"""Share of answers that may lack something."""

REPLICA_SKEW = 1.8
"""Requests of one host for each that a host has on average: of two hosts, the one that has nine of ten."""

TELEMETRY_AGE = 120.0
"""Seconds since a service's newest sample after which it counts as silent: eight exports at the default interval."""
