"""How much of this worker is taken: requests in work now, of those that it can work on at once.

Summed over the workers of a service it says how near the service is to making its clients wait. Where a server sets no bound, as uvicorn
without ``--limit-concurrency``, there is no size, only what is in work.
"""

from __future__ import annotations

from collections.abc import Iterable

from otelkit.catalog.metrics import HTTP_SERVER_ACTIVE_REQUESTS, WORKER_POOL_BUSY, WORKER_POOL_SIZE
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.presence import Presence
from otelkit.servers import Role


def observe_pool(aggregator: Aggregator, presence: Presence) -> None:
    """Adds the worker's pool to every collection, where this process is the worker of a server that is known."""

    def size() -> Iterable[tuple[LabelValues, float]]:
        server = presence.server
        return [((server.name,), server.capacity)] if server.role is Role.WORKER and server.capacity else []

    def busy() -> Iterable[tuple[LabelValues, float]]:
        server = presence.server
        if server.role is not Role.WORKER:
            return []
        return [((server.name,), sum(point.value for point in aggregator.read(HTTP_SERVER_ACTIVE_REQUESTS).numbers))]

    aggregator.observe(WORKER_POOL_SIZE, size)
    aggregator.observe(WORKER_POOL_BUSY, busy)
