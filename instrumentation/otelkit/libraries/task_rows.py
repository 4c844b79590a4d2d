"""The table of django-tasks-db: how many tasks wait in it, for how long, and who takes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from typing import Any

from otelkit.database.targets import is_private
from otelkit.installed import is_installed
from otelkit.tasks.queues import Queues, TaskQueues, Waiting

logger = logging.getLogger("otelkit.libraries")

MODELS = "django_tasks_db.models"
WORKER = "django_tasks_db.management.commands.db_worker"
KEEPER = "django-tasks-db"


def ask() -> Queues:
    """What waits in the table now, by queue; the queues of the settings are there when they are empty, too. Raises what Django raises."""
    from django.db import connections, router
    from django.db.models import Case, Count, F, Min, When
    from django.utils import timezone
    from django_tasks_db.models import DBTaskResult

    alias, now = router.db_for_read(DBTaskResult), timezone.now()
    connection: Any = connections[alias]  # this thread's own
    try:
        if is_private(connection):
            return {}
        due: Any = Case(When(run_after__lte=now, then=F("run_after")), default=F("enqueued_at"))
        rows = DBTaskResult.objects.using(alias).ready().order_by().values("queue_name").annotate(number=Count("pk"), first=Min(due))
        found = {name: Waiting(0, 0.0) for name in _known()}
        for row in rows:
            age = (now - row["first"]).total_seconds()
            found[row["queue_name"]] = Waiting(row["number"], max(age, 0.0))
        return found
    finally:
        connection.close()


def taking(queues: TaskQueues) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Around the worker's ``run``, which lasts as long as it takes tasks."""

    def around(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def followed(worker: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                queues.take(_taken(worker))
            except Exception:
                logger.exception("otelkit could not say which queues a worker takes; the worker is not affected.")
            return run(worker, *args, **kwargs)

        return followed

    return around


def _taken(worker: Any) -> Iterable[str]:
    names = _known(worker.backend_name) if worker.process_all_queues else worker.queue_names
    return frozenset(names) - frozenset(getattr(worker, "excluded_queue_names", ()))


def _known(backend_name: str | None = None) -> frozenset[str]:
    """The queues of a backend in the settings, or of all that keep their tasks in the table; Django's default where they name none."""
    from django_tasks_db.backend import DatabaseBackend

    backends = import_module("django.tasks" if is_installed("django.tasks") else "django_tasks").task_backends
    found: set[str] = set()
    for alias in backends:
        if isinstance(backends[alias], DatabaseBackend) and backend_name in (None, alias):
            found |= set(backends[alias].queues) or {"default"}
    return frozenset(found)
