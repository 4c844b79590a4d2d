"""The thread that writes this worker's metrics where the other workers find them. It runs only where workers share a folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from time import monotonic, thread_time
from typing import Protocol

from opentelemetry import context

from otelkit.metrics import user_instruments
from otelkit.metrics.aggregator import Snapshot
from otelkit.metrics.exchange import Exchange
from otelkit.metrics.sdk_series import snapshots_of
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.metrics")

PUBLISH_SECONDS = 1.0
"""How old the metrics of another worker may be in a scrape, and what SIGKILL may lose."""
MOST_SHARE = 0.02
"""Of one processor: a worker with very many series writes less often."""


class Worker(Protocol):
    """Whose metrics are written: the collector of the pull road."""

    labels: dict[str, str]
    exchange: Exchange | None

    def snapshots(self, users: Sequence[Snapshot] | None = None) -> Sequence[Snapshot]:
        """What the worker has to tell."""


class Publisher:
    """Writes every second, and at the end. ``interval`` is how often callbacks of the project's instruments may be called, in seconds."""

    def __init__(self, worker: Worker, interval: float) -> None:
        self._worker = worker
        self._interval = interval
        self._stopping = Event()
        self._thread: Thread | None = None
        self._users: Sequence[Snapshot] = ()
        self._users_due = 0.0

    def start(self) -> None:
        """Starts the thread."""
        self._thread = Thread(target=self._run, name="otelkit-publish", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes a last time and ends the thread."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join(PUBLISH_SECONDS)
            self._thread = None
            self._users_due = 0.0
            self._publish_safely()

    def _run(self) -> None:
        context.attach(suppressed())  # a callback of the project's that queries or calls something is not a request
        while not self._stopping.is_set():
            began = thread_time()
            self._publish_safely()
            self._stopping.wait(max(PUBLISH_SECONDS, (thread_time() - began) / MOST_SHARE))

    def _publish_safely(self) -> None:
        try:
            self._publish()
        except Exception:
            logger.exception("otelkit could not share this worker's metrics; it tries again.")

    def _publish(self) -> None:
        if monotonic() >= self._users_due:
            self._users_due = monotonic() + self._interval
            self._users = snapshots_of(user_instruments.read())
        exchange = self._worker.exchange
        if exchange is not None:
            exchange.write(self._labels(), self._worker.snapshots(self._users))

    def _labels(self) -> Mapping[str, str]:
        return self._worker.labels
