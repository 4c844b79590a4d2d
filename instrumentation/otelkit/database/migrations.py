"""How many migrations the code has and the database has not: never asked in ``ready()``, and never while somebody waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from otelkit.catalog.metrics import DJANGO_MIGRATIONS_UNAPPLIED
from otelkit.database.targets import is_private, target_of
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.metrics.question import Question

logger = logging.getLogger("otelkit.database")

FIRST_AFTER = 20.0
"""Seconds from the start to the first question: reading the migrations must not compete with the first requests."""
ASK_EVERY = 60.0
"""Seconds between two questions; only the first one reads the migrations, which the interpreter remembers."""
Counts = Mapping[str, int]
"""Unapplied migrations by database."""


class MigrationObserver:
    """Adds the metric to every collection."""

    def __init__(self, aggregator: Aggregator, count: Callable[[], Counts] | None = None, clock: Callable[[], float] = monotonic) -> None:
        nothing: Counts = {}
        self._question = Question(
            count or unapplied_everywhere,
            nothing,
            _warn,
            thread="otelkit-migrations",
            first_after=FIRST_AFTER,
            every=ASK_EVERY,
            is_ready=lambda: apps.ready,
            clock=clock,
        )
        aggregator.observe(DJANGO_MIGRATIONS_UNAPPLIED, self._observe)

    def _observe(self) -> Iterable[tuple[LabelValues, float]]:
        return [((database,), count) for database, count in self._question.answer().items()]


def _warn(why: str) -> None:
    logger.warning("Unapplied migrations are not counted while the database cannot say: %s.", why)


def unapplied_everywhere() -> dict[str, int]:
    """Unapplied migrations of each database that keeps a list of them, and of the default one in any case."""
    from django.db.migrations.recorder import MigrationRecorder

    found: dict[str, int] = {}
    for alias in connections:
        if settings.DATABASES[alias]["ENGINE"] in ("", "django.db.backends.dummy"):
            continue
        connection: Any = connections[alias]  # this thread's own
        try:
            if is_private(connection):
                continue
            # A database without that list is not migrated by this project: a replica, or somebody else's. The default one may be new.
            if alias == DEFAULT_DB_ALIAS or MigrationRecorder(connection).has_table():
                found[target_of(connection).namespace] = unapplied(connection)
        finally:
            connection.close()
    return found


def unapplied(connection: Any) -> int:
    """Unapplied migrations of one database. Raises what Django and its driver raise."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
