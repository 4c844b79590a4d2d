"""Tasks: whether the workers keep up, what fails, and when what is scheduled last went well."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import QUEUE, SERVICE_NAME, TASK_NAME, TASK_OUTCOME
from otelkit.catalog.metrics import (
    TASK_ACTIVE,
    TASK_DURATION,
    TASK_LAST_SUCCESS_TIME,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
    TASK_WAIT_DURATION,
    WORKER_UP,
)
from otelkit.catalog.objectives import TASK_AGE
from otelkit.catalog.promql import RANGE, equals, increase, maximum, now, number, quantile, rate, total
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import ALIVE, or_none, where_used
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_TASKS: Final = "No task has run in this time range: the service has no workers, nothing was sent, or the library is disabled."
FAILED_ANY: Final = Exemption("threshold-is-objective", "Any at all is worth a look; no objective says how many may fail.")

_TASK: Final = [SERVICE_NAME, TASK_NAME]
_QUEUE: Final = [SERVICE_NAME, QUEUE]
_FAILED: Final = (*CHOSEN, equals(TASK_OUTCOME, "error"))

FAILED_TASKS = Stat(
    key="failed-tasks",
    title="Failed tasks",
    help="Tasks within the time range that ended with an exception and will not be tried again.",
    act="The graph below names the task; its trace has the exception and what sent it.",
    missing=NO_TASKS,
    unit=Unit.COUNT,
    thresholds=Thresholds(warning=1),
    exemptions=(FAILED_ANY,),
    queries=(Query(increase(TASK_DURATION, where=_FAILED, window=RANGE).or_else(number(0) * ALIVE), instant=True),),
)

QUEUES = Row(
    "queues",
    "Queues",
    (
        TimeSeries(
            key="queue-depth",
            title="Tasks that wait",
            help="Tasks in each queue that no worker has taken yet, as the broker or the database says.",
            act="Growing: more is sent than is worked off. Look beside whether anybody takes them, and below at what holds the workers.",
            missing=NO_TASKS,
            unit=Unit.COUNT,
            width=8,
            queries=where_used(maximum(TASK_QUEUE_DEPTH, by=_QUEUE, where=CHOSEN), tuple(_QUEUE)),
        ),
        TimeSeries(
            key="queue-age",
            title="Age of the oldest",
            help="How long the oldest task of each queue has waited. Brokers that cannot say, like RabbitMQ, are not here.",
            act="A straight line upwards: nobody takes tasks of this queue. A slope: the workers do not keep up.",
            missing=NO_TASKS,
            unit=Unit.SECONDS,
            width=8,
            thresholds=Thresholds(warning=TASK_AGE),
            queries=where_used(maximum(TASK_QUEUE_OLDEST_AGE, by=_QUEUE, where=CHOSEN), tuple(_QUEUE)),
        ),
        TimeSeries(
            key="worker-up",
            title="Queues with a worker",
            help="1 where a worker takes tasks of the queue, 0 where the broker knows of none; a line that ends was a worker's own word.",
            act="0, or a line that ended: start its workers, or look in their last lines why they are gone.",
            missing=NO_TASKS,
            unit=Unit.COUNT,
            width=8,
            queries=where_used(maximum(WORKER_UP, by=_QUEUE, where=CHOSEN), tuple(_QUEUE)),
        ),
    ),
)

TASKS = Row(
    "tasks",
    "Tasks",
    (
        TimeSeries(
            key="task-outcomes",
            title="Tasks by outcome",
            help="Attempts a second that ended, by task and outcome.",
            act="Errors: open a trace of the task. Retries level with the first attempts: what it calls is down.",
            missing=NO_TASKS,
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            stacked=True,
            queries=or_none(rate(TASK_DURATION, by=[TASK_NAME, TASK_OUTCOME], where=CHOSEN), (TASK_NAME, TASK_OUTCOME), out_of=ALIVE),
        ),
        TimeSeries(
            key="task-wait",
            title="Wait in the queue, p95",
            help="Time within which 95 of 100 tasks are begun after they are due, by queue.",
            act="Rising: the workers do not keep up. Add workers, or find the task that holds them in the graph beside.",
            missing=NO_TASKS,
            unit=Unit.SECONDS,
            width=8,
            queries=or_none(quantile(0.95, TASK_WAIT_DURATION, by=_QUEUE, where=CHOSEN), tuple(_QUEUE), out_of=ALIVE),
        ),
        TimeSeries(
            key="task-time",
            title="Time of a task, p95",
            help="Time within which 95 of 100 attempts of a task end.",
            act="One task: open a slow trace of it. All of them: what they share, like the database, or too many at once on one machine.",
            missing=NO_TASKS,
            unit=Unit.SECONDS,
            width=8,
            queries=or_none(quantile(0.95, TASK_DURATION, by=_TASK, where=CHOSEN), tuple(_TASK), out_of=ALIVE),
        ),
        TimeSeries(
            key="task-active",
            title="Tasks that run",
            help="Tasks that are being worked on at the moment of an export, by queue.",
            act="Level for long while tasks wait: every worker is taken.",
            missing=NO_TASKS,
            unit=Unit.COUNT,
            width=12,
            queries=or_none(total(TASK_ACTIVE, by=_QUEUE, where=CHOSEN), tuple(_QUEUE), out_of=ALIVE),
        ),
        TimeSeries(
            key="schedule-age",
            title="Since a scheduled task last went well",
            help="Seconds since the last run of each scheduled task that went well, while the process that ran it is still known.",
            act="Rising past its schedule: beat does not send it, no worker takes it, or it fails.",
            missing=NO_TASKS,
            unit=Unit.SECONDS,
            width=12,
            queries=or_none(now() - maximum(TASK_LAST_SUCCESS_TIME, by=_TASK, where=CHOSEN), tuple(_TASK), out_of=ALIVE),
        ),
    ),
)
