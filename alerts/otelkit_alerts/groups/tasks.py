"""Tasks: what was asked for, and nobody does."""

from __future__ import annotations

from otelkit.catalog.boards import BACKGROUND
from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, QUEUE, TASK_OUTCOME
from otelkit.catalog.metrics import TASK_DURATION, TASK_QUEUE_DEPTH, TASK_QUEUE_OLDEST_AGE, WORKER_UP
from otelkit.catalog.objectives import TASK_AGE
from otelkit.catalog.promql import maximum, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit_alerts.groups.about import AMOUNT, ENVIRONMENT, SERVICE, THIS_SERVICE, of_alert, same
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace

_BY_QUEUE = (*OWNED_SERVICE, QUEUE)
_SHARED_QUEUE = (DEPLOYMENT_ENVIRONMENT_NAME, QUEUE)
"""Whoever sends a task need not be who does it: the workers may be another service's."""


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-tasks``."""
    return (Group("otelkit-tasks", pace.interval, (_workers_missing(pace), _delayed(pace))),)


def _workers_missing(pace: Pace) -> Alert:
    waiting = maximum(TASK_QUEUE_DEPTH, by=_BY_QUEUE) > 0
    return Alert(
        name="TaskWorkersMissing",
        severity=Severity.CRITICAL,
        category=Category.TASKS,
        expr=waiting.unless_on(_SHARED_QUEUE, maximum(WORKER_UP, by=_SHARED_QUEUE) > 0),
        hold=pace.stalled_hold,
        summary=f"Nobody takes the tasks of the queue {of_alert(QUEUE)} of {SERVICE} in {ENVIRONMENT}.",
        description=(
            f"{AMOUNT} tasks wait in {of_alert(QUEUE)}, and no worker says that it takes them: what users asked for is not done. "
            "Look first whether its workers run at all (`celery -A <app> inspect active_queues`), and at the last lines of those that ran."
        ),
        first_look=maximum(TASK_QUEUE_DEPTH, by=[QUEUE], where=THIS_SERVICE),
        board=BACKGROUND,
    )


def _delayed(pace: Pace) -> Alert:
    return Alert(
        name="TasksDelayed",
        severity=Severity.WARNING,
        category=Category.TASKS,
        expr=maximum(TASK_QUEUE_OLDEST_AGE, by=_BY_QUEUE) > TASK_AGE,
        hold=pace.stalled_hold,
        summary=f"Tasks of {SERVICE} in {ENVIRONMENT} wait too long in the queue {of_alert(QUEUE)}.",
        description=(
            f"The oldest task in {of_alert(QUEUE)} has waited for {{{{ $value | humanizeDuration }}}}. "
            "Look first at the tasks by outcome: if none end, no worker takes this queue; if they do, find the one that holds the workers."
        ),
        first_look=rate(TASK_DURATION, by=[QUEUE, TASK_OUTCOME], where=[*THIS_SERVICE, same(QUEUE)], window=pace.recent),
        board=BACKGROUND,
    )
