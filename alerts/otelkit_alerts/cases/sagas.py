"""SagaStuck and CompensationRatioHigh: sagas that do not get on, and sagas that are taken back."""

from __future__ import annotations

from otelkit.catalog.labels import SAGA, SAGA_OUTCOME, SAGA_STATE
from otelkit.catalog.metrics import SAGA_COMPLETED, SAGA_OLDEST_AGE
from otelkit_alerts.cases.arriving import alive, arrives
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
STUCK, UNDONE = "SagaStuck", "CompensationRatioHigh"
_RULES = {alert.name: alert for alert in alerts(PRODUCTION)}
_BY_SAGA = {**SERVICE.labels, SAGA: "place_order"}


def _age(values: str, state: str = "running") -> Input:
    return arrives(SERVICE, SAGA_OLDEST_AGE, values, {SAGA: "place_order", SAGA_STATE: state})


def _ended(values: str, outcome: str) -> Input:
    return arrives(SERVICE, SAGA_COMPLETED, values, {SAGA: "place_order", SAGA_OUTCOME: outcome})


def _stuck(age: str) -> tuple[Firing, ...]:
    return (Firing(_RULES[STUCK], _BY_SAGA, age),)


def _undone(share: str) -> tuple[Firing, ...]:
    return (Firing(_RULES[UNDONE], _BY_SAGA, share),)


CASES = (
    Case(
        STUCK,
        Situation.FIRING,
        "fires when a saga is taken up by nobody",
        (_age("0+60x40"),),
        (Check("6m"), Check("20m", _stuck("20m 0s"))),
    ),
    Case(
        STUCK,
        Situation.FIRING,
        "fires when its compensation gets nowhere",
        (_age("0x40"), _age("0+60x40", "compensating")),
        (Check("6m"), Check("20m", _stuck("20m 0s"))),
    ),
    Case(
        STUCK,
        Situation.SILENT,
        "is quiet about sagas that wait for somebody outside, and about those that are quick",
        (_age("0+60x90", "waiting"), _age("0 30 90 119 20 0 44x80")),
        (Check("20m"), Check("80m")),
    ),
    Case(
        STUCK,
        Situation.SILENT,
        "is quiet about one that waited long and ends at once",
        (_age("0x20 3600 0x40"),),
        (Check("21m"), Check("27m")),
    ),
    Case(STUCK, Situation.ABSENT, "is quiet about a service without sagas", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(STUCK, Situation.LOW_TRAFFIC, "is quiet where no saga runs", (_age("0x60"),), (Check("50m"),)),
    Case(
        STUCK,
        Situation.RECOVERY,
        "clears when the sweeper has taken them up",
        (_age("0+60x20 0x30"),),
        (Check("15m", _stuck("15m 0s")), Check("22m"), Check("45m")),
    ),
    Case(
        UNDONE,
        Situation.FIRING,
        "fires when a quarter is taken back",
        (_ended(counter((60, 9)), "ok"), _ended(counter((60, 3)), "compensated")),
        (Check("5m"), Check("25m", _undone("25%"))),
    ),
    Case(
        UNDONE,
        Situation.SILENT,
        "is quiet about customers who change their minds",
        (_ended(counter((60, 95)), "ok"), _ended(counter((60, 5)), "compensated")),
        (Check("25m"), Check("50m")),
    ),
    Case(UNDONE, Situation.ABSENT, "is quiet about a service without sagas", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        UNDONE,
        Situation.LOW_TRAFFIC,
        "is quiet about the only saga in a while",
        (_ended("0x60", "ok"), _ended("0x20 1x40", "compensated")),
        (Check("25m"), Check("50m")),
    ),
    Case(
        UNDONE,
        Situation.RECOVERY,
        "clears when sagas end well again",
        (_ended(counter((60, 9)), "ok"), _ended(counter((25, 3), (35, 0)), "compensated")),
        (Check("24m", _undone("25%")), Check("45m"), Check("55m")),
    ),
)

SUITE = Suite("Sagas.", PRODUCTION, "1m", CASES)
