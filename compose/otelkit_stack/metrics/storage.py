"""The store's samples as the query engine wants them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from otelkit_stack.metrics.samples import Samples
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.storage import Series
from otelkit_stack.selectors.matchers import Matcher


class SampleStorage:
    """Reads through a connection, which must be its user's alone while it does. Raises sqlite3.Error."""

    def __init__(self, samples: Samples, connection: sqlite3.Connection) -> None:
        self._samples = samples
        self._connection = connection

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """The series that fulfil every condition, with their samples from start to end, both included."""
        found = self._samples.select(self._connection, matchers, start_ms, end_ms)
        # The index has them sorted, and none is empty: as Labels want them.
        return [Series(Labels(series.labels.items()), series.times, series.values) for series in found]
