"""Access: whoever tries to come in and may not, and doors that no longer open for those who may."""

from __future__ import annotations

from otelkit.catalog.boards import ACCESS
from otelkit.catalog.labels import AUTH_ISSUER, AUTH_METHOD, AUTH_OUTCOME, AUTH_REASON, SERVICE_INSTANCE_ID
from otelkit.catalog.metrics import AUTH_ATTEMPTS, AUTH_JWKS_REFRESHES, AUTH_TOKENS_VALIDATED
from otelkit.catalog.objectives import LOGIN_FAILURE_RATE, LOGIN_FAILURE_RATIO, TOKEN_REJECTION_RATIO
from otelkit.catalog.promql import Expr, equals, increase, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit_alerts.groups.about import AMOUNT, ENVIRONMENT, RATE, SERVICE, SHARE, THIS_SERVICE, of_alert, same, share_above
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace

_FAILED = equals(AUTH_OUTCOME, "failed")


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-access``."""
    rules = (_flood_of_logins(pace), _logins_fail(pace), _tokens_refused(pace), _keys_away(pace))
    return (Group("otelkit-access", pace.interval, rules),)


def _flood_of_logins(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, AUTH_METHOD]
    return Alert(
        name="LoginFailuresHigh",
        severity=Severity.CRITICAL,
        category=Category.ACCESS,
        expr=rate(AUTH_ATTEMPTS, by=by, where=[_FAILED], window=pace.recent) > LOGIN_FAILURE_RATE,
        hold=pace.stalled_hold,
        labels={"symptom": "flood"},
        summary=f"Somebody tries passwords at {SERVICE} in {ENVIRONMENT}.",
        description=(
            f"{RATE} log-ins by {of_alert(AUTH_METHOD)} fail each second at {SERVICE}, which no visitors do by themselves. "
            "Look first whether others still succeed, and at the addresses in the proxy's log; "
            "then slow log-ins down by address and by account."
        ),
        first_look=_attempts(pace.recent),
        board=ACCESS,
    )


def _logins_fail(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, AUTH_METHOD]
    attempts = rate(AUTH_ATTEMPTS, by=by, window=pace.rare_window)
    failed = rate(AUTH_ATTEMPTS, by=by, where=[_FAILED], window=pace.rare_window)
    return Alert(
        name="LoginFailuresHigh",
        severity=Severity.WARNING,
        category=Category.ACCESS,
        expr=share_above(LOGIN_FAILURE_RATIO, failed, attempts, by),
        hold=pace.pattern_hold,
        labels={"symptom": "share"},
        summary=f"Most log-ins at {SERVICE} in {ENVIRONMENT} fail.",
        description=(
            f"{SHARE} of the log-ins by {of_alert(AUTH_METHOD)} at {SERVICE} fail. Look first at the reasons: "
            "one that began with a deploy is the door, not the visitors."
        ),
        first_look=_attempts(pace.rare_window),
        board=ACCESS,
        measures_ratio=True,
    )


def _tokens_refused(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, AUTH_ISSUER]
    tokens = rate(AUTH_TOKENS_VALIDATED, by=by, window=pace.recent)
    refused = rate(AUTH_TOKENS_VALIDATED, by=by, where=[_FAILED], window=pace.recent)
    return Alert(
        name="TokenRejectionRatioHigh",
        severity=Severity.WARNING,
        category=Category.ACCESS,
        expr=share_above(TOKEN_REJECTION_RATIO, refused, tokens, by),
        hold=pace.pattern_hold,
        summary=f"{SERVICE} in {ENVIRONMENT} refuses tokens of its callers.",
        description=(
            f"{SHARE} of the tokens that come to {SERVICE} are refused. Look first at the reasons: expired is a caller's clock or cache, "
            "unknown key a rotation, wrong audience a caller's configuration."
        ),
        first_look=rate(AUTH_TOKENS_VALIDATED, by=[AUTH_ISSUER, AUTH_REASON], where=(*THIS_SERVICE, _FAILED), window=pace.recent),
        board=ACCESS,
        measures_ratio=True,
    )


def _keys_away(pace: Pace) -> Alert:
    failed = increase(AUTH_JWKS_REFRESHES, by=OWNED_SERVICE, where=[_FAILED], window=pace.rare_window)
    fetched = increase(AUTH_JWKS_REFRESHES, by=OWNED_SERVICE, where=[equals(AUTH_OUTCOME, "ok")], window=pace.rare_window)
    return Alert(
        name="SigningKeysUnavailable",
        severity=Severity.CRITICAL,
        category=Category.ACCESS,
        expr=(failed > 0).unless_on(OWNED_SERVICE, fetched > 0),
        hold=pace.check_hold,
        summary=f"{SERVICE} in {ENVIRONMENT} cannot fetch the keys that tokens are checked with.",
        description=(
            f"About {AMOUNT} attempts of {SERVICE} to fetch its issuer's keys failed in the last {pace.rare_window}, and none succeeded. "
            "Tokens pass by the last copy for a day; those of a new key are refused at once. Look first whether the issuer answers."
        ),
        first_look=increase(AUTH_JWKS_REFRESHES, by=[SERVICE_INSTANCE_ID, AUTH_OUTCOME], where=THIS_SERVICE, window=pace.rare_window),
        board=ACCESS,
    )


def _attempts(window: str) -> Expr:
    return rate(AUTH_ATTEMPTS, by=[AUTH_OUTCOME, AUTH_REASON], where=(*THIS_SERVICE, same(AUTH_METHOD)), window=window)
