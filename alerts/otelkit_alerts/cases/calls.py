"""RetryStorm, DegradedRatioHigh and ReplicaSkew: what hides behind answers that are all 200."""

from __future__ import annotations

from otelkit.catalog.labels import DEGRADED_REASON, FEATURE, HOST_NAME, RETRY_OUTCOME, SERVER_ADDRESS
from otelkit.catalog.metrics import DEGRADED_RESPONSES, HTTP_CLIENT_REQUEST_DURATION, HTTP_CLIENT_RETRIES, HTTP_SERVER_REQUEST_DURATION
from otelkit_alerts.cases.arriving import alive, answers, arrives
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
STORM, DEGRADED, SKEW = "RetryStorm", "DegradedRatioHigh", "ReplicaSkew"
_RULES = {alert.name: alert for alert in alerts(PRODUCTION)}
_STORMS = (Firing(_RULES[STORM], {**SERVICE.labels, SERVER_ADDRESS: "inventory"}, "30%"),)
_POOR = (Firing(_RULES[DEGRADED], SERVICE.labels, "10%"),)
_SKEWED = (Firing(_RULES[SKEW], SERVICE.labels, "2.50"),)


def _calls(values: str) -> Input:
    return arrives(SERVICE, HTTP_CLIENT_REQUEST_DURATION, values, {SERVER_ADDRESS: "inventory"})


def _retries(values: str) -> Input:
    return arrives(SERVICE, HTTP_CLIENT_RETRIES, values, {SERVER_ADDRESS: "inventory", RETRY_OUTCOME: "error"})


def _lacking(values: str) -> Input:
    return arrives(SERVICE, DEGRADED_RESPONSES, values, {FEATURE: "prices", DEGRADED_REASON: "circuit_open"})


def _host(name: str, values: str) -> Input:
    return arrives(SERVICE, HTTP_SERVER_REQUEST_DURATION, values, {HOST_NAME: name})


CASES = (
    Case(
        STORM,
        Situation.FIRING,
        "fires when nearly every third call is a repetition",
        (_calls(counter((60, 60))), _retries(counter((60, 18)))),
        (Check("9m"), Check("20m", _STORMS)),
    ),
    Case(
        STORM,
        Situation.SILENT,
        "is quiet within the budget of retries",
        (_calls(counter((60, 60))), _retries(counter((60, 6)))),
        (Check("20m"), Check("50m")),
    ),
    Case(STORM, Situation.ABSENT, "is quiet about a service that never tries again", (_calls(counter((60, 60))),), (Check("30m"),)),
    Case(
        STORM,
        Situation.LOW_TRAFFIC,
        "is quiet about one call a minute that is tried twice",
        (_calls(counter((60, 1))), _retries(counter((60, 1)))),
        (Check("20m"), Check("50m")),
    ),
    Case(
        STORM,
        Situation.RECOVERY,
        "clears when calls succeed at once again",
        (_calls(counter((60, 60))), _retries(counter((20, 18), (40, 0)))),
        (Check("19m", _STORMS), Check("27m"), Check("50m")),
    ),
    Case(
        DEGRADED,
        Situation.FIRING,
        "fires when a tenth of the answers lacks something",
        (answers(SERVICE, counter((60, 60))), _lacking(counter((60, 6)))),
        (Check("9m"), Check("20m", _POOR)),
    ),
    Case(
        DEGRADED,
        Situation.SILENT,
        "is quiet about a few",
        (answers(SERVICE, counter((60, 60))), _lacking(counter((60, 1)))),
        (Check("20m"), Check("50m")),
    ),
    Case(DEGRADED, Situation.ABSENT, "is quiet about a service that never degrades", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        DEGRADED,
        Situation.LOW_TRAFFIC,
        "is quiet about one poor answer a minute that is the only one",
        (answers(SERVICE, counter((60, 1))), _lacking(counter((60, 1)))),
        (Check("20m"), Check("50m")),
    ),
    Case(
        DEGRADED,
        Situation.RECOVERY,
        "clears when answers are whole again",
        (answers(SERVICE, counter((60, 60))), _lacking(counter((20, 6), (40, 0)))),
        (Check("19m", _POOR), Check("27m"), Check("50m")),
    ),
    Case(
        SKEW,
        Situation.FIRING,
        "fires when one of three hosts does nearly all",
        (_host("a", counter((60, 300))), _host("b", counter((60, 30))), _host("c", counter((60, 30)))),
        (Check("14m"), Check("25m", _SKEWED)),
    ),
    Case(
        SKEW,
        Situation.SILENT,
        "is quiet while the load is spread, and about a single host",
        (_host("a", counter((60, 60))), _host("b", counter((60, 40)))),
        (Check("25m"), Check("50m")),
    ),
    Case(SKEW, Situation.ABSENT, "is quiet about a service without requests", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        SKEW,
        Situation.LOW_TRAFFIC,
        "is quiet about a few requests that all went to one host",
        (_host("a", counter((60, 2))), _host("b", "0x60"), _host("c", "0x60")),
        (Check("25m"), Check("50m")),
    ),
    Case(
        SKEW,
        Situation.RECOVERY,
        "clears when the others take their share",
        (_host("a", counter((25, 300), (35, 120))), _host("b", counter((25, 30), (35, 120))), _host("c", counter((25, 30), (35, 120)))),
        (Check("24m", _SKEWED), Check("32m"), Check("50m")),
    ),
)

SUITE = Suite("Calls, answers and hosts.", PRODUCTION, "1m", CASES)
