"""ApiUsedAfterSunset and ApiContractBroken: promises about an API, and whether they are kept."""

from __future__ import annotations

from otelkit.catalog.labels import API_DEPRECATED, API_VERSION, CLIENT_NAME, DIRECTION, HTTP_ROUTE
from otelkit.catalog.metrics import API_CONTRACT_VIOLATIONS, API_REQUESTS, API_SUNSET_TIME
from otelkit_alerts.cases.arriving import alive, arrives
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
SUNSET, CONTRACT = "ApiUsedAfterSunset", "ApiContractBroken"
_RULES = {alert.name: alert for alert in alerts(PRODUCTION)}
_USED = (Firing(_RULES[SUNSET], {**SERVICE.labels, API_VERSION: "v1"}, "1.00"),)
_BROKEN = (Firing(_RULES[CONTRACT], {**SERVICE.labels, HTTP_ROUTE: "/orders/{pk}"}, "1"),)


def _asked(values: str, version: str = "v1") -> Input:
    labels = {API_VERSION: version, API_DEPRECATED: "true" if version == "v1" else "false", CLIENT_NAME: "shop-web"}
    return arrives(SERVICE, API_REQUESTS, values, labels)


def _ends_at(minute: int, version: str = "v1") -> Input:
    return arrives(SERVICE, API_SUNSET_TIME, f"{minute * 60}x80", {API_VERSION: version})


def _broken(values: str, direction: str) -> Input:
    return arrives(SERVICE, API_CONTRACT_VIOLATIONS, values, {HTTP_ROUTE: "/orders/{pk}", DIRECTION: direction})


CASES = (
    Case(
        SUNSET,
        Situation.FIRING,
        "fires when a version is asked after its end",
        (_asked(counter((80, 60))), _ends_at(20), _asked(counter((80, 60)), "v2")),
        (Check("19m"), Check("29m"), Check("35m", _USED)),
    ),
    Case(
        SUNSET,
        Situation.SILENT,
        "is quiet before the end, and about versions without one",
        (_asked(counter((80, 60))), _ends_at(10_000), _asked(counter((80, 60)), "v2")),
        (Check("35m"), Check("70m")),
    ),
    Case(SUNSET, Situation.ABSENT, "is quiet about a service without versions", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        SUNSET,
        Situation.LOW_TRAFFIC,
        "is quiet about one stray request",
        (_asked("0x40 1x40"), _ends_at(20)),
        (Check("42m"), Check("50m"), Check("70m")),
    ),
    Case(
        SUNSET,
        Situation.RECOVERY,
        "clears when the last client has moved",
        (_asked(counter((40, 60), (40, 0))), _ends_at(20)),
        (Check("35m", _USED), Check("47m"), Check("70m")),
    ),
    Case(
        CONTRACT,
        Situation.FIRING,
        "fires with the first answer that is none of the schema's",
        (_broken("0x60 1x60", "response"),),
        (Check("60m"), Check("63m", _BROKEN)),
    ),
    Case(
        CONTRACT,
        Situation.SILENT,
        "is quiet about callers who send nonsense",
        (_broken(counter((120, 6)), "request"), _broken("0x120", "response")),
        (Check("30m"), Check("110m")),
    ),
    Case(CONTRACT, Situation.ABSENT, "is quiet about a service without a schema", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(CONTRACT, Situation.LOW_TRAFFIC, "is quiet where nobody asks", (_broken("0x120", "response"),), (Check("110m"),)),
    Case(
        CONTRACT,
        Situation.RECOVERY,
        "forgets it after an hour",
        (_broken("0x10 1x120", "response"),),
        (Check("30m", _BROKEN), Check("80m")),
    ),
)

SUITE = Suite("The API as a contract.", PRODUCTION, "1m", CASES)
