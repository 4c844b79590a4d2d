"""The way in: a batch goes to the store, its spans are counted, and the counts come back as samples every few seconds."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from types import TracebackType
from typing import Self

from otelkit.catalog.span_metrics import EXPIRES_AFTER_S, INTERVAL_S
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.metrics.label_index import METRIC_NAME
from otelkit_stack.metrics.span_metrics import NAMES, SpanMetrics
from otelkit_stack.rows import Batch
from otelkit_stack.selectors.matchers import Matcher
from otelkit_stack.store import QueueFullError, Store

log = logging.getLogger(__name__)


class Intake:
    """Feeds a store while the context is open. Raises StackError on entering, where the store cannot be read."""

    def __init__(self, store: Store, *, interval_s: float = INTERVAL_S) -> None:
        self._store = store
        self._interval_s = interval_s
        self._span_metrics = SpanMetrics()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otelkit-stack-span-metrics", daemon=True)

    def __enter__(self) -> Self:
        self._restore()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()
        self.write_span_metrics()

    def take(self, batch: Batch) -> None:
        """Takes a batch in. Raises QueueFullError where it does not fit now, StackError after the store was closed."""
        self._store.submit(batch)
        self._span_metrics.add(batch, time.time_ns())

    def write_span_metrics(self) -> None:
        """Gives the counts as they are now to the store; where they do not fit, the next ones say the same and more."""
        try:
            self._store.submit(self._span_metrics.collect(time.time_ns()))
        except QueueFullError as error:
            log.warning("Metrics of spans come later: %s", error)

    def _run(self) -> None:
        while not self._ending.wait(self._interval_s):
            self.write_span_metrics()

    def _restore(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        matchers = [Matcher(METRIC_NAME, "=~", "|".join(NAMES))]
        try:
            connection = open_reader(self._store.file)
            try:
                self._span_metrics.restore(self._store.samples.select(connection, matchers, now_ms - int(EXPIRES_AFTER_S * 1000), now_ms))
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StackError(explain(error, self._store.file)) from error
