"""HealthCheckFailing and CircuitBreakerOpen: tell what lasts from what heals by itself."""

from __future__ import annotations

from otelkit.catalog.labels import CIRCUIT_BREAKER_NAME, HEALTH_CHECK
from otelkit_alerts.cases.arriving import alive, breaker, checked
from otelkit_alerts.cases.model import Case, Check, Firing, Service, Situation, Suite, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
CHECK, BREAKER = "HealthCheckFailing", "CircuitBreakerOpen"
_RULES = {alert.name: alert for alert in alerts(PRODUCTION)}
_FAILS = (Firing(_RULES[CHECK], {**SERVICE.labels, HEALTH_CHECK: "database"}),)
_OPEN = (Firing(_RULES[BREAKER], {**SERVICE.labels, CIRCUIT_BREAKER_NAME: "inventory"}),)

CASES = (
    Case(
        CHECK,
        Situation.FIRING,
        "fires when one of two workers says no for long",
        (checked(SERVICE, "1x40"), checked(SERVICE, "1x9 0x30", worker="host:2")),
        (Check("9m"), Check("12m"), Check("14m", _FAILS)),
    ),
    Case(
        CHECK,
        Situation.FIRING,
        "names the check that fails and not its neighbour",
        (checked(SERVICE, "0x40"), checked(SERVICE, "1x40", check="cache")),
        (Check("10m", _FAILS),),
    ),
    Case(CHECK, Situation.SILENT, "is quiet while every check passes", (checked(SERVICE, "1x40"),), (Check("20m"), Check("40m"))),
    Case(
        CHECK,
        Situation.SILENT,
        "is quiet about a check that said no once",
        (checked(SERVICE, "1x9 0 1x30"),),
        (Check("10m"), Check("13m"), Check("20m")),
    ),
    Case(CHECK, Situation.ABSENT, "is quiet about a service without probes", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        CHECK,
        Situation.LOW_TRAFFIC,
        "is quiet about a worker that was probed once and said no",
        (checked(SERVICE, "0 _x40"),),
        (Check("2m"), Check("30m")),
    ),
    Case(
        CHECK,
        Situation.RECOVERY,
        "clears when the check passes again",
        (checked(SERVICE, "0x10 1x30"),),
        (Check("8m", _FAILS), Check("12m"), Check("30m")),
    ),
    Case(
        BREAKER,
        Situation.FIRING,
        "fires when a breaker stays open",
        (breaker(SERVICE, "1x9 0x30"), breaker(SERVICE, "0x9 1x30", state="open")),
        (Check("9m"), Check("11m"), Check("13m", _OPEN)),
    ),
    Case(
        BREAKER,
        Situation.FIRING,
        "fires when a breaker tries again and again and never closes",
        (breaker(SERVICE, "1x9 0x30"), breaker(SERVICE, "0x9 1 0 1 0 1 0 1 0 1 0", state="open")),
        (Check("13m", _OPEN),),
    ),
    Case(
        BREAKER,
        Situation.FIRING,
        "fires when a breaker fails at each of a few calls",
        (breaker(SERVICE, "1x9 0x40"), breaker(SERVICE, "0x9 1 0x3 1 0x3 1 0x3 1 0x3 1 0x20", state="open")),
        (Check("13m", _OPEN), Check("24m", _OPEN)),
    ),
    Case(BREAKER, Situation.SILENT, "is quiet while it is closed", (breaker(SERVICE, "1x40"),), (Check("20m"), Check("40m"))),
    Case(
        BREAKER,
        Situation.SILENT,
        "is quiet about one that closed at its first try",
        (breaker(SERVICE, "1x9 0 1x30"), breaker(SERVICE, "0x9 1 0x30", state="open")),
        (Check("10m"), Check("12m"), Check("20m")),
    ),
    Case(BREAKER, Situation.ABSENT, "is quiet about a service without breakers", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        BREAKER,
        Situation.LOW_TRAFFIC,
        "is quiet about a worker that ended while its breaker had just opened",
        (breaker(SERVICE, "1x9 0 stale _x30"), breaker(SERVICE, "0x9 1 stale _x30", state="open")),
        (Check("10m"), Check("13m"), Check("30m")),
    ),
    Case(
        BREAKER,
        Situation.RECOVERY,
        "clears a while after the breaker closed",
        (breaker(SERVICE, "0x10 1x30"), breaker(SERVICE, "1x10 0x30", state="open")),
        (Check("8m", _OPEN), Check("13m", _OPEN), Check("20m"), Check("30m")),
    ),
    Case(
        BREAKER,
        Situation.RECOVERY,
        "clears when nobody calls any more, although the breaker cannot close then",
        (breaker(SERVICE, "0x40"), breaker(SERVICE, "1x10 0x30", state="open")),
        (Check("8m", _OPEN), Check("15m", _OPEN), Check("22m"), Check("40m")),
    ),
)

SUITE = Suite("Resilience.", PRODUCTION, "1m", CASES)
