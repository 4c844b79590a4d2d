"""Resilience: what a service says of its own parts, and of those that it has stopped calling."""

from __future__ import annotations

from otelkit.catalog.boards import RESILIENCE
from otelkit.catalog.labels import CIRCUIT_BREAKER_NAME, CIRCUIT_BREAKER_STATE, HEALTH_CHECK, SERVICE_INSTANCE_ID
from otelkit.catalog.metrics import CIRCUIT_BREAKER_STATES, HEALTH_CHECK_STATUS
from otelkit.catalog.promql import equals, minimum
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit_alerts.groups.about import ENVIRONMENT, SERVICE, THIS_SERVICE, of_alert, same
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-resilience``."""
    return (Group("otelkit-resilience", pace.interval, (_check_failing(pace), _breaker_open(pace))),)


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
    # Not "is open": a breaker that tries again and again is half-open at some samples.
    closed = [equals(CIRCUIT_BREAKER_STATE, "closed")]
    return Alert(
        name="CircuitBreakerOpen",
        severity=Severity.WARNING,
        category=Category.DEPENDENCY,
        expr=minimum(CIRCUIT_BREAKER_STATES, by=[*OWNED_SERVICE, CIRCUIT_BREAKER_NAME], where=closed) < 1,
        hold=pace.breaker_hold,
        keep_firing=pace.keep_firing,
        summary=f'{SERVICE} in {ENVIRONMENT} has stopped calling "{of_alert(CIRCUIT_BREAKER_NAME)}".',
        description=(
            f'The circuit breaker "{of_alert(CIRCUIT_BREAKER_NAME)}" of {SERVICE} has not been closed for {pace.breaker_hold}: too many '
            "calls behind it failed, and it turns others back. Look first at what it guards, and whether other services cannot reach that "
            "either; the breaker itself needs nothing, it closes as soon as a call succeeds."
        ),
        first_look=minimum(
            CIRCUIT_BREAKER_STATES,
            by=[SERVICE_INSTANCE_ID, CIRCUIT_BREAKER_STATE],
            where=(*THIS_SERVICE, same(CIRCUIT_BREAKER_NAME)),
        ),
        board=RESILIENCE,
    )
