"""Queues of tasks, as the broker knows them."""

from __future__ import annotations

from otelkit.catalog.labels import QUEUE
from otelkit.catalog.metrics.model import Kind, Metric

TASK_QUEUE_DEPTH = Metric("task.queue.depth", Kind.GAUGE, "{task}", "Tasks that wait in the queue, asked of the broker.", (QUEUE,))
TASK_QUEUE_OLDEST_AGE = Metric("task.queue.oldest.age", Kind.GAUGE, "s", "How long the oldest of them has waited.", (QUEUE,))
WORKER_UP = Metric("worker.up", Kind.GAUGE, "", "1 where a worker takes tasks of the queue, 0 where none does.", (QUEUE,))
