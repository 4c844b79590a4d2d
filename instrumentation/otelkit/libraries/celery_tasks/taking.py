"""Which processes of a worker take tasks: the children of its pool, or the worker itself where its pool has none.

They say so from their start, so that a worker which has nothing to do is not taken for one that is gone. A worker that only hands tasks to
its children waits, as a server's master does (see :mod:`otelkit.presence`).
"""

from __future__ import annotations

from typing import Any

from otelkit.tasks.queues import TaskQueues

_FORKS = "celery.concurrency.prefork"


class Taking:
    """Hears of workers, by Celery's signals; it logs what a receiver raises."""

    def __init__(self, queues: TaskQueues) -> None:
        self._queues = queues

    def child_begins(self, **_: Any) -> None:
        """In a child of the pool, before its first task."""
        from celery import current_app

        self._queues.take(current_app.amqp.queues.consume_from)

    def worker_begins(self, sender: Any = None, **_: Any) -> None:
        """In the worker, which is ready to take tasks."""
        if type(sender.pool).__module__ != _FORKS:
            self._queues.take(sender.app.amqp.queues.consume_from)
