"""Tasks (Celery, django.tasks, consumers of kombu)."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import LONG_BUCKETS, Kind, Metric

TASK_NAME = Label("task.name", "Name under which the task is registered; also on errors.captured, instead of a route. Ours.")
QUEUE = Label("queue", "Queue that the task waits in. Ours.")
TASK_OUTCOME = Label("outcome", "What became of the task. Ours.", ("ok", "error", "retry", "reject", "ignored"))

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
