"""All samples of a stack: what the writer puts in, and what queries get out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from otelkit_stack.metrics import table
from otelkit_stack.metrics.chunk import Times, Values
from otelkit_stack.metrics.head import NO_ROW, Head
from otelkit_stack.metrics.label_index import METRIC_NAME, LabelIndex
from otelkit_stack.metrics.merging import between, merged, sorted_run
from otelkit_stack.rows import Batch, SampleRows
from otelkit_stack.selectors.matchers import Matcher

_TOGETHER = 200
"""Series that are read at once: their chunks are in memory beside what is made of them."""
QUIET_MS = 3_600_000
"""A series that got nothing for an hour leaves the memory."""


class SelectedSeries(NamedTuple):
    """A series with its samples by time; ``labels`` has the name as ``__name__``."""

    labels: Mapping[str, str]
    times: Times
    values: Values


class Samples:
    """Index and head of a database. The ``write``, ``wrote``, ``checkpoint`` and ``forget_...`` are for the writer's thread alone.

    Raises sqlite3.Error where the database cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.index = LabelIndex()
        self._head = Head()
        self._logged = 0
        for series_id, name, labels in connection.execute("SELECT id, name, labels FROM series"):
            self.index.add(series_id, _labels(name, labels))
        for samples in table.read_log(connection):
            self._append(samples)

    @property
    def logged(self) -> int:
        """Samples since the last checkpoint."""
        return self._logged

    # --- the writer's side ----------------------------------------------------------------------------------------------

    def write(self, connection: sqlite3.Connection, batches: Iterable[Batch]) -> None:
        """Within the writer's transaction: puts the samples of the batches on disk."""
        if samples := [batch.samples for batch in batches if batch.samples]:
            table.write_log(connection, samples)

    def wrote(self, batches: Iterable[Batch]) -> None:
        """After the transaction: what it wrote can be selected from now on."""
        for batch in batches:
            for series_id in self.index.unknown(batch.series):
                row = batch.series[series_id]
                self.index.add(series_id, _labels(row.name, row.labels))
            self._append(batch.samples)

    def checkpoint(self, connection: sqlite3.Connection) -> None:
        """Writes the chunks that have changed and empties the log, in one transaction. The connection must be in autocommit mode."""
        if not self._logged:
            return
        unsaved = self._head.unsaved()
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = [(chunk, table.write_chunk(connection, series_id, chunk)) for series_id, chunk in unsaved]
            table.clear_log(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._head.saved(rows)
        self._logged = 0

    def forget_series(self, series_ids: Iterable[int]) -> None:
        """Lets go of series that retention has deleted: at once, because what is in the index is not written to the table again."""
        self.index.remove(series_ids)

    def forget_quiet(self, *, now_ms: int) -> None:
        """Lets go of the memory of series that get nothing any more."""
        self._head.forget(now_ms - QUIET_MS)

    def _append(self, samples: SampleRows) -> None:
        self._head.append(samples)
        self._logged += len(samples)

    # --- the readers' side ----------------------------------------------------------------------------------------------

    def select(self, connection: sqlite3.Connection, matchers: Iterable[Matcher], start_ms: int, end_ms: int) -> list[SelectedSeries]:
        """Series that fit every matcher, with their samples from ``start_ms`` to ``end_ms``, both included; those without any left out.

        ``connection`` may be any to the same database. Raises sqlite3.Error.
        """
        ids = sorted(self.index.select(matchers))
        found: list[SelectedSeries] = []
        for first in range(0, len(ids), _TOGETHER):
            found += self._selected(connection, ids[first : first + _TOGETHER], start_ms, end_ms)
        return found

    def _selected(self, connection: sqlite3.Connection, ids: Sequence[int], start_ms: int, end_ms: int) -> Iterator[SelectedSeries]:
        in_memory = {series_id: self._head.read(series_id) for series_id in ids}  # before the disk, or a chunk could slip through between
        known = {row for runs in in_memory.values() for row in runs}
        on_disk = table.read_chunks(connection, ids, start_ms, end_ms, known)
        for series_id in ids:
            runs = in_memory[series_id]
            if series_id in on_disk:
                runs = on_disk[series_id] | runs
            times, values = between(merged(runs), start_ms, end_ms)
            if len(times):
                yield SelectedSeries(self.index.labels(series_id), times, values)

    def in_time(self, connection: sqlite3.Connection, series_ids: Iterable[int], start_ms: int, end_ms: int) -> set[int]:
        """Those of the series that have a chunk in that time, both ends included: what Prometheus looks at, too. Raises sqlite3.Error."""
        wanted = set(series_ids)
        found = {series_id for series_id in wanted if self._head.has_between(series_id, start_ms, end_ms)}
        return found | table.having_chunks(connection, [*(wanted - found)], start_ms, end_ms)


def samples_on_disk(
    connection: sqlite3.Connection, series_ids: Sequence[int], start_ms: int, end_ms: int
) -> dict[int, tuple[Times, Values]]:
    """All samples of these series in the time from ``start_ms`` to ``end_ms``, for a process that does not write. Raises sqlite3.Error."""
    connection.execute("BEGIN")  # one moment: a checkpoint moves samples from the log into chunks
    try:
        chunks = table.read_chunks(connection, series_ids, start_ms, end_ms, {})
        logged = table.read_logged(connection, series_ids)
    finally:
        connection.execute("COMMIT")
    return {
        series_id: between(merged(chunks.get(series_id, {}) | {NO_ROW: sorted_run(logged.get(series_id, {}))}), start_ms, end_ms)
        for series_id in series_ids
    }


def _labels(name: str, labels: str) -> dict[str, str]:
    return {METRIC_NAME: name, **json.loads(labels)}
