"""How many migrations the code has and the database has not: asked in a thread of its own, and only where somebody collects metrics.

Never in ``ready()`` and never while somebody waits: a database that is down, or that does not answer at all, costs the metric and one
warning, and nothing else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from threading import Thread
from time import monotonic
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from opentelemetry import context

from otelkit.catalog.metrics import DJANGO_MIGRATIONS_UNAPPLIED
from otelkit.database.targets import target_of
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.database")

FIRST_AFTER = 20.0
"""Seconds from the start to the first question: reading the migrations must not compete with the first requests."""
ASK_EVERY = 60.0
"""Seconds between two questions; only the first one reads the migrations, which the interpreter remembers."""
PATIENCE = 10.0
"""Seconds after which an answer is late: the metric is absent then, and nobody asks a second time meanwhile."""

Counts = Mapping[str, int]
"""Unapplied migrations by database."""


class MigrationObserver:
    """The last answer, and the thread that fetches the next one."""

    def __init__(self, aggregator: Aggregator, count: Callable[[], Counts] | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._count = count or unapplied_everywhere
        self._clock = clock
        self._has_warned = False
        self._begin()
        aggregator.observe(DJANGO_MIGRATIONS_UNAPPLIED, self._observe)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._is_asking = False  # not whether a thread is alive: it is so for a moment after its answer
        self._asked_at = self._clock() + FIRST_AFTER - ASK_EVERY
        self._counts: Counts = {}

    def _observe(self) -> Iterable[tuple[LabelValues, float]]:
        if self._pid != os.getpid():  # a fork has taken over a thread that does not exist here
            self._begin()
        waited = self._clock() - self._asked_at
        shown = self._counts  # before anybody is asked: a quick answer belongs to the next collection, as a slow one does
        if self._is_asking:
            if waited > PATIENCE:
                shown = self._counts = {}
                self._warn("it has not answered within %g seconds", PATIENCE)
        elif waited >= ASK_EVERY and apps.ready:
            self._asked_at = self._clock()
            self._is_asking = True
            try:
                Thread(target=self._ask, name="otelkit-migrations", daemon=True).start()
            except RuntimeError:  # the interpreter is ending
                self._is_asking = False
        return [((database,), count) for database, count in shown.items()]

    def _ask(self) -> None:
        context.attach(suppressed())  # what is asked here is nobody's query
        try:
            self._counts = self._count()
            self._has_warned = False
        except Exception as error:  # noqa: BLE001  (a driver that lacks, a database that is away, migrations that do not import)
            self._counts = {}
            self._warn("%s", type(error).__name__)
        finally:
            self._is_asking = False

    def _warn(self, why: str, *arguments: object) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("Unapplied migrations are not counted while the database cannot say: " + why + ".", *arguments)


def unapplied_everywhere() -> dict[str, int]:
    """Unapplied migrations of each database that keeps a list of them, and of the default one in any case."""
    from django.db.migrations.recorder import MigrationRecorder

    found: dict[str, int] = {}
    for alias in connections:
        if settings.DATABASES[alias]["ENGINE"] in ("", "django.db.backends.dummy"):
            continue
        connection: Any = connections[alias]  # this thread's own
        try:
            # Another thread's connection to a database in memory sees another database.
            if target_of(connection).namespace == ":memory:":
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
