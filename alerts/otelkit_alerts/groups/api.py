"""The API as a contract: versions that outlive their end, and answers that the schema does not allow."""

from __future__ import annotations

from otelkit.catalog.boards import API
from otelkit.catalog.labels import API_VERSION, CLIENT_NAME, DIRECTION, HTTP_ROUTE
from otelkit.catalog.metrics import API_CONTRACT_VIOLATIONS, API_REQUESTS, API_SUNSET_TIME
from otelkit.catalog.promql import equals, increase, maximum, now, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit_alerts.groups.about import AMOUNT, ENVIRONMENT, RATE, SERVICE, THIS_SERVICE, of_alert, same
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-api``."""
    return (Group("otelkit-api", pace.interval, (_after_sunset(pace), _contract_broken(pace))),)


def _after_sunset(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, API_VERSION]
    return Alert(
        name="ApiUsedAfterSunset",
        severity=Severity.WARNING,
        category=Category.API,
        expr=(rate(API_REQUESTS, by=by, window=pace.recent) > 0).and_on(by, maximum(API_SUNSET_TIME, by=by) < now()),
        hold=pace.pattern_hold,
        summary=f"Version {of_alert(API_VERSION)} of {SERVICE} in {ENVIRONMENT} is past its end and still asked.",
        description=(
            f"Version {of_alert(API_VERSION)} was to end, and gets {RATE} requests a second: whoever sends them fails when it is switched "
            "off. Look first which clients they are, and tell them; only then move the date or the switch."
        ),
        first_look=rate(API_REQUESTS, by=[CLIENT_NAME], where=(*THIS_SERVICE, same(API_VERSION)), window=pace.recent),
        board=API,
    )


def _contract_broken(pace: Pace) -> Alert:
    # Answers alone: requests that break the contract are refused, and are their senders' to mend.
    own = equals(DIRECTION, "response")
    return Alert(
        name="ApiContractBroken",
        severity=Severity.WARNING,
        category=Category.API,
        expr=increase(API_CONTRACT_VIOLATIONS, by=[*OWNED_SERVICE, HTTP_ROUTE], where=[own], window=pace.dead_window) > 0,
        summary=f"{SERVICE} in {ENVIRONMENT} answers otherwise than its schema says.",
        description=(
            f"About {AMOUNT} answers of {of_alert(HTTP_ROUTE)} in the last {pace.dead_window} were not what the OpenAPI document promises: "
            "clients that believe it break. Look first at the log line that names the part which differs, and at the newest deploy."
        ),
        first_look=increase(API_CONTRACT_VIOLATIONS, by=[HTTP_ROUTE, DIRECTION], where=THIS_SERVICE, window=pace.dead_window),
        board=API,
    )
