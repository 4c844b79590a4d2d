"""LoginFailuresHigh, TokenRejectionRatioHigh and SigningKeysUnavailable: tell an attack from a broken door, and both from a slip."""

from __future__ import annotations

from otelkit.catalog.labels import AUTH_ISSUER, AUTH_METHOD, AUTH_OUTCOME, AUTH_REASON, Label
from otelkit.catalog.metrics import AUTH_ATTEMPTS, AUTH_JWKS_REFRESHES, AUTH_TOKENS_VALIDATED
from otelkit_alerts.cases.arriving import alive, arrives
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, counter, steady
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
LOGINS, TOKENS, KEYS = "LoginFailuresHigh", "TokenRejectionRatioHigh", "SigningKeysUnavailable"
_RULES = {(alert.name, alert.labels.get("symptom", "")): alert for alert in alerts(PRODUCTION)}
_BY_METHOD = {**SERVICE.labels, AUTH_METHOD: "password"}
_BY_ISSUER = {**SERVICE.labels, AUTH_ISSUER: "gateway"}
_FLOOD = (Firing(_RULES[LOGINS, "flood"], _BY_METHOD, "1.00"),)
_SHARE = (Firing(_RULES[LOGINS, "share"], _BY_METHOD, "75%"),)
_REFUSED = (Firing(_RULES[TOKENS, ""], _BY_ISSUER, "5%"),)


def _logins(values: str, reason: str = "") -> Input:
    return arrives(SERVICE, AUTH_ATTEMPTS, values, {AUTH_METHOD: "password", **_outcome(reason)})


def _tokens(values: str, reason: str = "") -> Input:
    return arrives(SERVICE, AUTH_TOKENS_VALIDATED, values, {AUTH_ISSUER: "gateway", **_outcome(reason)})


def _outcome(reason: str) -> dict[Label, str]:
    return {AUTH_OUTCOME: "failed", AUTH_REASON: reason} if reason else {AUTH_OUTCOME: "ok"}


def _fetched(values: str, outcome: str) -> Input:
    return arrives(SERVICE, AUTH_JWKS_REFRESHES, values, {AUTH_OUTCOME: outcome})


def _away(attempts: str) -> tuple[Firing, ...]:
    return (Firing(_RULES[KEYS, ""], SERVICE.labels, attempts),)


CASES = (
    Case(
        LOGINS,
        Situation.FIRING,
        "fires when somebody tries passwords, however many others succeed",
        (_logins(counter((60, 600))), _logins(counter((60, 60)), "credentials")),
        (Check("4m"), Check("12m", _FLOOD)),
    ),
    Case(
        LOGINS,
        Situation.FIRING,
        "fires when most fail, few as they are",
        (_logins(counter((60, 1))), _logins(counter((60, 3)), "backend")),
        (Check("9m"), Check("30m", _SHARE)),
    ),
    Case(
        LOGINS,
        Situation.SILENT,
        "is quiet about visitors who mistype",
        (_logins(counter((60, 60))), _logins(counter((60, 20)), "credentials")),
        (Check("20m"), Check("50m")),
    ),
    Case(LOGINS, Situation.ABSENT, "is quiet about a service where nobody logs in", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        LOGINS,
        Situation.LOW_TRAFFIC,
        "is quiet about one visitor who has forgotten the password",
        (_logins("0x60"), _logins("0x10 1 2 3 3x40", "credentials")),
        (Check("14m"), Check("25m"), Check("50m")),
    ),
    Case(
        LOGINS,
        Situation.RECOVERY,
        "clears when the flood is over",
        (_logins(counter((60, 600))), _logins(counter((20, 60), (40, 0)), "credentials")),
        (Check("19m", _FLOOD), Check("27m"), Check("50m")),
    ),
    Case(
        TOKENS,
        Situation.FIRING,
        "fires when a caller comes with tokens that are no more",
        (_tokens(counter((60, 57))), _tokens(counter((60, 3)), "expired")),
        (Check("9m"), Check("20m", _REFUSED)),
    ),
    Case(
        TOKENS,
        Situation.SILENT,
        "is quiet about a few in a thousand",
        (_tokens(counter((60, 600))), _tokens(counter((60, 3)), "expired")),
        (Check("20m"), Check("50m")),
    ),
    Case(TOKENS, Situation.ABSENT, "is quiet about a service that checks none", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        TOKENS,
        Situation.LOW_TRAFFIC,
        "is quiet about the one caller of a minute",
        (_tokens("0x60"), _tokens(counter((60, 1)), "expired")),
        (Check("20m"), Check("50m")),
    ),
    Case(
        TOKENS,
        Situation.RECOVERY,
        "clears when the caller has a new one",
        (_tokens(counter((60, 57))), _tokens(counter((20, 3), (40, 0)), "expired")),
        (Check("19m", _REFUSED), Check("27m"), Check("50m")),
    ),
    Case(
        KEYS,
        Situation.FIRING,
        "fires when every attempt fails",
        (_fetched("1x60", "ok"), _fetched(counter((60, 1)), "failed")),
        (Check("3m"), Check("20m", _away("15"))),
    ),
    Case(
        KEYS,
        Situation.SILENT,
        "is quiet while one of several succeeds",
        (_fetched(counter((60, 1)), "ok"), _fetched(counter((60, 1)), "failed")),
        (Check("20m"), Check("50m")),
    ),
    Case(KEYS, Situation.ABSENT, "is quiet about a service that fetches none", (alive(SERVICE, steady(40)),), (Check("30m"),)),
    Case(
        KEYS,
        Situation.LOW_TRAFFIC,
        "is quiet about one attempt that failed before the next went well",
        (_fetched("0x10 0 1x50", "ok"), _fetched("0x10 1x50", "failed")),
        (Check("11m"), Check("20m"), Check("50m")),
    ),
    Case(
        KEYS,
        Situation.RECOVERY,
        "clears with the first that goes well",
        (_fetched("0x20 1x40", "ok"), _fetched("0+1x20 20x40", "failed")),
        (Check("18m", _away("15")), Check("23m"), Check("50m")),
    ),
)

SUITE = Suite("Access.", PRODUCTION, "1m", CASES)
