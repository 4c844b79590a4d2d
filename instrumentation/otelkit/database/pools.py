"""Connection pools of the ORM (PostgreSQL with psycopg 3, Django 5.1 and newer): how full, and how long one waits.

Sizes and failures are read from the pool's own statistics when somebody collects. The time to get a connection is not among those (there is
a sum of whole milliseconds), so it is measured around ``getconn()``; a pool's first connection, which opens the pool, is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

from django.db import connections
from django.db.backends.signals import connection_created

from otelkit.catalog.metrics import (
    DB_CLIENT_CONNECTION_COUNT,
    DB_CLIENT_CONNECTION_MAX,
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
)
from otelkit.metrics.aggregator import Aggregator, LabelValues

Values = Iterable[tuple[LabelValues, float]]


class PoolObserver:
    """Follows every pool from the first connection that comes out of it."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._wait = aggregator.histogram(DB_CLIENT_CONNECTION_WAIT_TIME)
        self._pools: WeakValueDictionary[tuple[int, str], Any] = WeakValueDictionary()
        """By process and alias: a child inherits its parent's pools, but cannot use them."""
        aggregator.observe(DB_CLIENT_CONNECTION_COUNT, self._counts)
        aggregator.observe(DB_CLIENT_CONNECTION_MAX, lambda: self._each("pool_max"))
        aggregator.observe(DB_CLIENT_CONNECTION_TIMEOUTS, lambda: self._each("requests_errors"))

    def switch_on(self) -> None:
        """Follows the pools of this thread's open connections, and every one that lends a connection later."""
        connection_created.connect(self._on_created, dispatch_uid="otelkit.pools")
        for connection in connections.all(initialized_only=True):
            if connection.connection is not None:
                self._on_created(connection)

    def switch_off(self) -> None:
        """Leaves every pool as it was."""
        connection_created.disconnect(dispatch_uid="otelkit.pools")
        for pool in list(self._pools.values()):
            vars(pool).pop("getconn", None)
        self._pools.clear()

    def _on_created(self, connection: Any, **_: Any) -> None:
        pool = getattr(connection, "pool", None)
        key = os.getpid(), connection.alias
        # Oracle's pools keep other statistics, under other names.
        if pool is None or not hasattr(pool, "get_stats") or self._pools.get(key) is pool:
            return
        self._pools[key] = pool
        pool.getconn = self._timed(pool.getconn, (connection.alias,))

    def _timed(self, getconn: Callable[..., Any], labels: LabelValues) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            started = perf_counter()
            try:
                return getconn(*args, **kwargs)
            finally:
                self._wait.record(perf_counter() - started, labels)

        return timed

    def _stats(self) -> list[tuple[str, dict[str, int]]]:
        here = os.getpid()
        return [(alias, pool.get_stats()) for (pid, alias), pool in list(self._pools.items()) if pid == here]

    def _counts(self) -> Values:
        for alias, stats in self._stats():
            idle = stats.get("pool_available", 0)
            yield (alias, "idle"), idle
            yield (alias, "used"), max(0, stats.get("pool_size", 0) - idle)

    def _each(self, name: str) -> Values:
        return [((alias,), stats.get(name, 0)) for alias, stats in self._stats()]
