"""Tasks (Celery, django.tasks, consumers of kombu) and management commands."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

TASK_NAME = Label("task.name", "Name under which the task is registered; also on errors.captured, instead of a route. Ours.")
QUEUE = Label("queue", "Queue that the task waits in. Ours.")
TASK_OUTCOME = Label("outcome", "What became of the task. Ours.", ("ok", "error", "retry", "reject", "ignored"))
COMMAND = Label("command", "Name of the management command. Ours.")
COMMAND_OUTCOME = Label("outcome", "How the command ended. Ours.", ("ok", "error"))

LONG_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds in seconds for what may take an hour."""

TASK_DURATION = Metric(
    "task.duration", Kind.HISTOGRAM, "s", "Time to run one task, in one attempt.", (TASK_NAME, QUEUE, TASK_OUTCOME), LONG_BUCKETS
)
TASK_WAIT_DURATION = Metric(
    "task.wait.duration",
    Kind.HISTOGRAM,
    "s",
    "Time between the moment a task was due and the moment a worker began it.",
    (TASK_NAME, QUEUE, TASK_OUTCOME),
    LONG_BUCKETS,
)
TASK_ACTIVE = Metric("task.active", Kind.UP_DOWN_COUNTER, "{task}", "Tasks that run now.", (QUEUE,))
TASK_QUEUE_DEPTH = Metric("task.queue.depth", Kind.GAUGE, "{task}", "Tasks that wait in the queue, asked of the broker.", (QUEUE,))
TASK_QUEUE_OLDEST_AGE = Metric("task.queue.oldest.age", Kind.GAUGE, "s", "How long the oldest of them has waited.", (QUEUE,))
WORKER_UP = Metric("worker.up", Kind.GAUGE, "", "1 where a worker takes tasks of the queue, 0 where none does.", (QUEUE,))
TASK_LAST_SUCCESS_TIME = Metric(
    "task.last_success.time", Kind.GAUGE, "s", "Unix time of the last run of a scheduled task that went well.", (TASK_NAME,)
)
COMMAND_DURATION = Metric(
    "command.duration", Kind.HISTOGRAM, "s", "Time of one management command.", (COMMAND, COMMAND_OUTCOME), LONG_BUCKETS
)
COMMAND_LAST_SUCCESS_TIME = Metric(
    "command.last_success.time",
    Kind.GAUGE,
    "s",
    "Unix time of the last run of a management command that went well.",
    (COMMAND,),
)
