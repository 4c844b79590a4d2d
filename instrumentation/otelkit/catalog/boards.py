"""Boards by key: stable uid, title and what each is for. Alerts link to them, the board files draw them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoardFact:
    """Identity of a board. The uid is part of every saved link to it, so it never changes."""

    uid: str
    title: str
    help: str
    variables: tuple[str, ...]
    """Names of the Grafana variables that a link may set (``var-<name>``)."""


SERVICE_OVERVIEW = BoardFact(
    "otelkit-service-overview",
    "Django / Service overview",
    "Is the service healthy: traffic, errors, latency, saturation and what it depends on.",
    ("environment", "service"),
)
ENDPOINT = BoardFact(
    "otelkit-endpoint",
    "Django / Endpoint drilldown",
    "One route in detail: status codes, latency, queries, and the traces and log lines behind them.",
    ("environment", "service", "route", "trace_id"),
)
DATABASE = BoardFact(
    "otelkit-database",
    "Django / Database",
    "Which queries are many, repeated, slow or failing, which line of code runs them, and whether the connection pool is large enough.",
    ("environment", "service"),
)
EVENTS = BoardFact(
    "otelkit-events",
    "Django / Events and sagas",
    "Whether events get from their transaction to their consumers, how long that takes, what is given up, and how sagas end.",
    ("environment", "service"),
)
BACKGROUND = BoardFact(
    "otelkit-background",
    "Django / Background work",
    "Whether what runs outside of requests keeps up and goes well: which of it fails, how long it takes, and when it last succeeded.",
    ("environment", "service"),
)
RESILIENCE = BoardFact(
    "otelkit-resilience",
    "Django / Resilience",
    "What holds when parts fail: the checks behind the probes, circuit breakers, retries, degraded answers and load that was turned away.",
    ("environment", "service"),
)
ACCESS = BoardFact(
    "otelkit-access",
    "Django / Access",
    "Who is let in and who is not: log-ins, tokens and the keys behind them, permissions and CSRF.",
    ("environment", "service"),
)
API = BoardFact(
    "otelkit-api",
    "Django / API",
    "The API as a contract: which versions are asked for and by whom, when they end, messages that the schema does not allow, and flags.",
    ("environment", "service"),
)
TELEMETRY_HEALTH = BoardFact(
    "otelkit-telemetry-health",
    "Telemetry health",
    "Whether what the other boards show can be believed: what was created, exported, dropped and is still queued.",
    ("environment", "service"),
)

BOARDS: tuple[BoardFact, ...] = (SERVICE_OVERVIEW, ENDPOINT, DATABASE, EVENTS, BACKGROUND, RESILIENCE, ACCESS, API, TELEMETRY_HEALTH)
