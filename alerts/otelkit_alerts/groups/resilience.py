"""Resilience: what a service says of its own parts, and of those that it has stopped calling."""

from __future__ import annotations

from otelkit.catalog.boards import RESILIENCE
from otelkit.catalog.labels import (
    CIRCUIT_BREAKER_NAME,
    CIRCUIT_BREAKER_STATE,
    DEGRADED_REASON,
    ERROR_TYPE,
    FEATURE,
    HEALTH_CHECK,
    HTTP_RESPONSE_STATUS_CODE,
    SERVER_ADDRESS,
    SERVICE_INSTANCE_ID,
)
from otelkit.catalog.metrics import (
    CIRCUIT_BREAKER_STATES,
    DEGRADED_RESPONSES,
    HEALTH_CHECK_STATUS,
    HTTP_CLIENT_REQUEST_DURATION,
    HTTP_CLIENT_RETRIES,
    HTTP_SERVER_REQUEST_DURATION,
)
from otelkit.catalog.objectives import DEGRADED_RATIO, RETRY_RATIO
from otelkit.catalog.promql import equals, maximum, minimum, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit_alerts.groups.about import ENVIRONMENT, SERVICE, SHARE, THIS_SERVICE, of_alert, same, share_above
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-resilience``."""
    return (Group("otelkit-resilience", pace.interval, (_check_failing(pace), _breaker_open(pace), _retry_storm(pace), _degraded(pace))),)


def _check_failing(pace: Pace) -> Alert:
    return Alert(
        name="HealthCheckFailing",
        severity=Severity.WARNING,
        category=Category.DEPENDENCY,
        expr=minimum(HEALTH_CHECK_STATUS, by=[*OWNED_SERVICE, HEALTH_CHECK]) < 1,
        hold=pace.check_hold,
        summary=f'The health check "{of_alert(HEALTH_CHECK)}" of {SERVICE} in {ENVIRONMENT} fails.',
        description=(
            f'At least one worker of {SERVICE} has answered no to its check "{of_alert(HEALTH_CHECK)}" for {pace.check_hold}. '
            "Look first whether all workers say so or one: all means what is checked is away, one means that worker or its host. "
            "The reason is in the log line that says the check fails."
        ),
        first_look=minimum(HEALTH_CHECK_STATUS, by=[SERVICE_INSTANCE_ID, HEALTH_CHECK], where=(*THIS_SERVICE, same(HEALTH_CHECK))),
        board=RESILIENCE,
    )


def _breaker_open(pace: Pace) -> Alert:
    # Not "is open": a breaker that tries again and again is half-open at some samples. Not "is not closed" alone: one that nobody calls any
    # more rests half-open for ever, and turns nobody back.
    by = [*OWNED_SERVICE, CIRCUIT_BREAKER_NAME]
    is_not_closed = minimum(CIRCUIT_BREAKER_STATES, by=by, where=[equals(CIRCUIT_BREAKER_STATE, "closed")]) < 1
    was_open = maximum(CIRCUIT_BREAKER_STATES, by=by, where=[equals(CIRCUIT_BREAKER_STATE, "open")], window=pace.recent) > 0
    return Alert(
        name="CircuitBreakerOpen",
        severity=Severity.WARNING,
        category=Category.DEPENDENCY,
        expr=is_not_closed.and_on(by, was_open),
        hold=pace.breaker_hold,
        keep_firing=pace.keep_firing,
        summary=f'{SERVICE} in {ENVIRONMENT} has stopped calling "{of_alert(CIRCUIT_BREAKER_NAME)}".',
        description=(
            f'The circuit breaker "{of_alert(CIRCUIT_BREAKER_NAME)}" of {SERVICE} has not been closed for {pace.breaker_hold}: too many '
            f"calls behind it failed, and it turned others back within the last {pace.recent}. "
            "Look first at what it guards, and whether other services cannot reach that either; the breaker itself needs nothing, "
            "it closes as soon as a call succeeds."
        ),
        first_look=minimum(
            CIRCUIT_BREAKER_STATES,
            by=[SERVICE_INSTANCE_ID, CIRCUIT_BREAKER_STATE],
            where=(*THIS_SERVICE, same(CIRCUIT_BREAKER_NAME)),
        ),
        board=RESILIENCE,
    )


def _retry_storm(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, SERVER_ADDRESS]
    calls = rate(HTTP_CLIENT_REQUEST_DURATION, by=by, window=pace.recent)
    return Alert(
        name="RetryStorm",
        severity=Severity.WARNING,
        category=Category.DEPENDENCY,
        expr=share_above(RETRY_RATIO, rate(HTTP_CLIENT_RETRIES, by=by, window=pace.recent), calls, by),
        hold=pace.pattern_hold,
        summary=f"{SERVICE} in {ENVIRONMENT} calls {of_alert(SERVER_ADDRESS)} again and again.",
        description=(
            f"{SHARE} of the calls of {SERVICE} to {of_alert(SERVER_ADDRESS)} are repetitions: they hide its failures from users, and are "
            "load that keeps it down. Look first at the health of what is called; then make the retries fewer, not more."
        ),
        first_look=rate(
            HTTP_CLIENT_REQUEST_DURATION,
            by=[HTTP_RESPONSE_STATUS_CODE, ERROR_TYPE],
            where=(*THIS_SERVICE, same(SERVER_ADDRESS)),
            window=pace.recent,
        ),
        board=RESILIENCE,
        measures_ratio=True,
    )


def _degraded(pace: Pace) -> Alert:
    answers = rate(HTTP_SERVER_REQUEST_DURATION, by=OWNED_SERVICE, window=pace.recent)
    poor = rate(DEGRADED_RESPONSES, by=OWNED_SERVICE, window=pace.recent)
    return Alert(
        name="DegradedRatioHigh",
        severity=Severity.WARNING,
        category=Category.DEPENDENCY,
        expr=share_above(DEGRADED_RATIO, poor, answers, OWNED_SERVICE),
        hold=pace.pattern_hold,
        summary=f"Many answers of {SERVICE} in {ENVIRONMENT} lack something.",
        description=(
            f"{SHARE} of the answers of {SERVICE} do without a part that failed: users are served, and get less. "
            "Look first which feature is missing and why; the alert of what it needs comes first."
        ),
        first_look=rate(DEGRADED_RESPONSES, by=[FEATURE, DEGRADED_REASON], where=THIS_SERVICE, window=pace.recent),
        board=RESILIENCE,
        measures_ratio=True,
    )
