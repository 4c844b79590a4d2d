"""Tasks, each attempt of one."""

from __future__ import annotations

from otelkit.catalog.labels import QUEUE, TASK_NAME, TASK_OUTCOME
from otelkit.catalog.metrics.model import LONG_BUCKETS, Kind, Metric

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
TASK_LAST_SUCCESS_TIME = Metric(
    "task.last_success.time", Kind.GAUGE, "s", "Unix time of the last run of a scheduled task that went well.", (TASK_NAME,)
)
TASK_QUEUE_DEPTH = Metric(
    "task.queue.depth",
    Kind.GAUGE,
    "{task}",
    "Tasks that wait in the queue, asked of the broker or the database by every process that uses it: take the largest.",
    (QUEUE,),
)
TASK_QUEUE_OLDEST_AGE = Metric(
    "task.queue.oldest.age",
    Kind.GAUGE,
    "s",
    "How long the oldest of them has waited; 0 where none waits, absent where nobody can say, as with RabbitMQ.",
    (QUEUE,),
)
WORKER_UP = Metric(
    "worker.up",
    Kind.GAUGE,
    "",
    "1 where this process takes tasks of the queue, or the broker knows a worker; 0 where it knows of none. Take the largest.",
    (QUEUE,),
)
