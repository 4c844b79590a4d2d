"""The pace of the demo: a fault fires within a minute, and clears within a few."""

from __future__ import annotations

from otelkit.catalog.labels import REASON, SIGNAL
from otelkit_alerts.cases.arriving import alive, answers, dropped, quick_answers
from otelkit_alerts.cases.model import Case, Check, Firing, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.model import Alert
from otelkit_alerts.pace import DEMO, seconds

SERVICE = Service("inventory", "demo", "stock")
_LOST = {**SERVICE.labels, SIGNAL: "traces", REASON: "queue_full"}
INTERVAL = 5
"""Seconds between two exports of a service of the demo."""


def rules(name: str) -> tuple[Alert, ...]:
    """The rules of that name at the pace of the demo, those held shortest first."""
    return tuple(sorted((alert for alert in alerts(DEMO) if alert.name == name), key=lambda alert: seconds(alert.hold)))


def _samples(duration: str) -> int:
    return seconds(duration) // INTERVAL


def _phases(*phases: tuple[str, float]) -> str:
    return counter(*((_samples(duration), growth) for duration, growth in phases))


def _held_less_than(name: str, limit: int, value: str) -> tuple[Firing, ...]:
    return tuple(Firing(alert, SERVICE.labels, value) for alert in rules(name) if seconds(alert.hold) < limit)


CASES = (
    Case(
        "DjangoErrorBudgetBurn",
        Situation.RECOVERY,
        "fires within a minute of 30% errors, and clears within four minutes of their end",
        (answers(SERVICE, _phases(("2m", 14), ("6m", 20))), answers(SERVICE, _phases(("2m", 6), ("6m", 0)), status="500")),
        # At 55 s: those rules that had 5 s for a first rate, and one more evaluation to be held.
        (Check("10s"), Check("55s", _held_less_than("DjangoErrorBudgetBurn", 50, "30%")), Check("6m")),
    ),
    Case(
        "DjangoLatencyBudgetBurn",
        Situation.RECOVERY,
        "fires within a minute when half of the requests are slow, and clears within four minutes of their end",
        (answers(SERVICE, _phases(("2m", 20), ("6m", 20))), quick_answers(SERVICE, _phases(("2m", 10), ("6m", 20)))),
        (Check("10s"), Check("55s", _held_less_than("DjangoLatencyBudgetBurn", 50, "50%")), Check("6m")),
    ),
    Case(
        "DjangoTrafficGone",
        Situation.RECOVERY,
        "fires within a minute of the last request, and clears with the next",
        (alive(SERVICE, steady(_samples("9m"))), answers(SERVICE, _phases(("3m", 20), ("2m", 0), ("3m", 20)))),
        (Check("3m"), Check("4m", tuple(Firing(alert, SERVICE.labels, "3.09") for alert in rules("DjangoTrafficGone"))), Check("6m")),
    ),
    Case(
        "ServiceTelemetryMissing",
        Situation.RECOVERY,
        "fires within a minute of the last report, and clears with the next",
        (alive(SERVICE, f"{steady(_samples('3m'))} _x{_samples('2m')} {steady(_samples('3m'))}"),),
        (Check("3m"), Check("4m", tuple(Firing(alert, SERVICE.labels) for alert in rules("ServiceTelemetryMissing"))), Check("6m")),
    ),
    Case(
        "TelemetryExportFailing",
        Situation.RECOVERY,
        "tells of a loss with the first report after it, for three minutes",
        (dropped(SERVICE, f"{_phases(('2m', 0))} _x{_samples('1m')} 500x{_samples('5m')}"),),
        (Check("2m"), Check("195s", tuple(Firing(alert, _LOST, "500") for alert in rules("TelemetryExportFailing")[:1])), Check("7m")),
    ),
)

SUITE = Suite("The pace of the demo.", DEMO, f"{INTERVAL}s", CASES)
