"""DjangoTrafficGone: tells a service that nobody reaches from one that nobody needs, and from one that is dead."""

from __future__ import annotations

from otelkit_alerts.cases.arriving import alive, answers
from otelkit_alerts.cases.model import Case, Check, Firing, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
NAME = "DjangoTrafficGone"
(_ALERT,) = (alert for alert in alerts(PRODUCTION) if alert.name == NAME)


def _firing(value: str) -> tuple[Firing, ...]:
    return (Firing(_ALERT, SERVICE.labels, value),)


CASES = (
    Case(
        NAME,
        Situation.FIRING,
        "fires when a living service stops answering",
        (alive(SERVICE, steady(100)), answers(SERVICE, counter((60, 60), (40, 0)))),
        (Check("60m"), Check("68m"), Check("71m", _firing("0.90"))),
    ),
    Case(
        NAME,
        Situation.FIRING,
        "fires when a restarted service never gets its first request",
        (alive(SERVICE, steady(100)), answers(SERVICE, f"{counter((60, 60))} _x40")),
        (Check("60m"), Check("71m", _firing("0.91"))),
    ),
    Case(
        NAME,
        Situation.SILENT,
        "is quiet when traffic falls to a tenth",
        (alive(SERVICE, steady(100)), answers(SERVICE, counter((60, 60), (40, 6)))),
        (Check("75m"), Check("95m")),
    ),
    Case(
        NAME,
        Situation.SILENT,
        "leaves a service that also stopped reporting to ServiceTelemetryMissing",
        (alive(SERVICE, f"{steady(61)} _x60"), answers(SERVICE, f"{counter((60, 60))} _x60")),
        (Check("72m"), Check("90m")),
    ),
    Case(NAME, Situation.ABSENT, "is quiet when nothing is known", (), (Check("30m"),)),
    Case(
        NAME,
        Situation.ABSENT,
        "is quiet about a service that never had requests",
        (alive(SERVICE, steady(100)),),
        (Check("30m"), Check("90m")),
    ),
    Case(
        NAME,
        Situation.LOW_TRAFFIC,
        "is quiet when a service with one request a minute gets none for a while",
        (alive(SERVICE, steady(100)), answers(SERVICE, counter((60, 1), (40, 0)))),
        (Check("75m"), Check("95m")),
    ),
    Case(
        NAME,
        Situation.RECOVERY,
        "clears with the first answers",
        (alive(SERVICE, steady(100)), answers(SERVICE, counter((60, 60), (15, 0), (25, 60)))),
        (Check("72m", _firing("0.88")), Check("77m"), Check("95m")),
    ),
)

SUITE = Suite("Traffic.", PRODUCTION, "1m", CASES)
