"""The stack's own store as rules see it: they read what services sent and what other rules wrote, and write beside it."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Sequence

from otelkit_stack.metrics.storage import SampleStorage
from otelkit_stack.promql.labels import METRIC_NAME, Labels
from otelkit_stack.promql.storage import Series
from otelkit_stack.rows import Batch, SeriesRow, content_id, json_text
from otelkit_stack.selectors.matchers import Matcher
from otelkit_stack.store import QueueFullError, Store

log = logging.getLogger(__name__)


class StoredSamples:
    """A :class:`~otelkit_stack.rules.group.RuleStorage`. ``connection`` is a reader's, for the thread that evaluates alone.

    Raises StackError where what was written cannot be waited for, sqlite3.Error where the store cannot be read.
    """

    def __init__(self, store: Store, connection: sqlite3.Connection) -> None:
        self._store = store
        self._stored = SampleStorage(store.samples, connection)
        self._lock = threading.Lock()
        self._queued: set[str] = set()
        """Names of series that the writer may still have before it."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """The series that fulfil every condition, with their samples from start to end, both included."""
        on_name = [matcher for matcher in matchers if matcher.name == METRIC_NAME]
        with self._lock:
            awaited = {name for name in self._queued if all(matcher.matches(name) for matcher in on_name)}
        if awaited:
            # A rule reads what the rule before it wrote a moment ago. Most rules read what services sent, and wait for nothing.
            self._store.flush()
            with self._lock:
                self._queued -= awaited
        return self._stored.select(matchers, start_ms, end_ms)

    def append(self, samples: Iterable[tuple[Labels, int, float]]) -> None:
        """Keep samples: labels, milliseconds since the epoch, value. What does not fit into the queue is lost, and said in the log."""
        batch, names = Batch(), set()
        for labels, time_ms, value in samples:
            name = labels.get(METRIC_NAME)
            text = json_text(dict(labels.drop((METRIC_NAME,))))
            series_id = content_id("series", name, text)
            batch.series[series_id] = SeriesRow(series_id, name, text)
            batch.samples.add(series_id, time_ms, value)
            names.add(name)
        try:
            self._store.submit(batch)
        except QueueFullError as error:
            log.warning("%d samples of rules were dropped: %s", len(batch), error)
            return
        with self._lock:
            self._queued |= names
