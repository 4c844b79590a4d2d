"""Tasks: Celery's, django.tasks' and those of consumers; and the messages that carry them."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

TASK_NAME = Label("task.name", "Name under which the task is registered; also on errors.captured, instead of a route. Ours.")
QUEUE = Label("queue", "Queue that the task waits in; empty for one that ran without waiting in any. Ours.")
TASK_OUTCOME = Label(
    "outcome",
    "What became of the attempt: `retry` where it will be tried again, `reject` and `ignored` where the task itself said so. Ours.",
    ("ok", "error", "retry", "reject", "ignored"),
)
TASK_WAIT_MS = Label("task.wait_ms", "Milliseconds between the moment a task was due and its begin. Ours.")
TASK_RETRIES = Label("task.retries", "Attempts before this one; absent in the first. Ours.")
