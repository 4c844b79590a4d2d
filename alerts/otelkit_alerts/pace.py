"""How fast the rules look: production in minutes and days, the demo in seconds, by the same expressions."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog.objectives import BURN_WINDOWS, BurnWindow


@dataclass(frozen=True, slots=True)
class Pace:
    """Every duration of the rules, as Prometheus writes it (``5m``). Nothing else differs between two paces."""

    name: str
    burn_windows: tuple[BurnWindow, ...]
    interval: str
    """How often rules are evaluated."""
    budget_interval: str
    """How often the budget of 30 days is computed; it reads many samples and moves slowly."""
    recent: str
    """What counts as now. At least four exports long, or a lost one would look like silence."""
    keep_firing: str
    """How long a burn alert outlives its condition, so that a value on the edge does not ring twice."""
    traffic_before: str
    """The span before ``recent`` whose traffic DjangoTrafficGone compares with."""
    traffic_hold: str
    seen_within: str
    """ServiceTelemetryMissing speaks of services that were seen within this span, and forgets them after it."""
    missing_hold: str
    loss_window: str
    """Longer than an outage of the pipeline: the first report after it tells of the loss, and needs a sample from before."""
    loss_hold: str
    export_error_hold: str
    check_hold: str
    """How long a health check may say no; probes take the worker out of the load balancer long before."""
    breaker_hold: str
    """Longer than a breaker rests, so that one that closes at its first try rings nobody."""
    stalled_hold: str
    dead_window: str
    """How long a dead letter, or a saga that failed, is news."""
    rare_window: str
    """Over which shares are counted of what happens rarely: sagas, log-ins."""
    pattern_hold: str
    """How long retries, refusals and degraded answers may be many: a deploy of what is called is over by then."""
    skew_hold: str


PRODUCTION = Pace(
    name="production",
    burn_windows=BURN_WINDOWS,
    interval="30s",
    budget_interval="5m",
    recent="5m",
    keep_firing="5m",
    traffic_before="1h",
    traffic_hold="5m",
    seen_within="1h",
    missing_hold="5m",
    loss_window="1h",
    loss_hold="1m",
    export_error_hold="10m",
    check_hold="3m",
    breaker_hold="2m",
    stalled_hold="5m",
    dead_window="1h",
    rare_window="15m",
    pattern_hold="10m",
    skew_hold="15m",
)

DEMO = Pace(
    name="demo",
    # Services of the demo export every 5 seconds: 20 seconds hold four samples.
    burn_windows=(
        BurnWindow("1m", "20s", 14.4, "10s", pages=True),
        BurnWindow("3m", "40s", 6.0, "20s", pages=True),
        BurnWindow("5m", "1m", 3.0, "40s", pages=False),
        BurnWindow("10m", "2m", 1.0, "1m", pages=False),
    ),
    interval="5s",
    budget_interval="30s",
    recent="20s",
    keep_firing="15s",
    traffic_before="3m",
    traffic_hold="20s",
    seen_within="5m",
    missing_hold="15s",
    loss_window="3m",
    loss_hold="5s",
    export_error_hold="20s",
    check_hold="10s",
    breaker_hold="10s",
    stalled_hold="10s",
    dead_window="3m",
    rare_window="3m",
    pattern_hold="15s",
    skew_hold="30s",
)

PACES: tuple[Pace, ...] = (PRODUCTION, DEMO)


def seconds(duration: str) -> int:
    """A Prometheus duration of one number and one unit in seconds: 300 for ``5m``."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]
