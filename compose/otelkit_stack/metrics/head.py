"""The newest samples of each series, in memory until they fill a chunk.

What is here is on disk too, in the log of samples; a checkpoint writes the open chunks and empties that log. Safe to use from the writer's
thread and any number of readers.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from otelkit_stack.metrics.chunk import MOST_SAMPLES, Times, Values
from otelkit_stack.metrics.merging import sorted_run
from otelkit_stack.rows import SampleRows

NO_ROW = 1 << 62
"""Stands for the row of a chunk that has none yet: above all that are given."""


@dataclass(slots=True)
class OpenChunk:
    """Samples by time that still grow. ``row`` is the chunk's id in the database, once a checkpoint gave it one."""

    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    row: int | None = None
    is_changed: bool = True

    def arrays(self) -> tuple[Times, Values]:
        """A copy of the samples."""
        return np.array(self.times, dtype=np.int64), np.array(self.values, dtype=np.float64)


@dataclass(slots=True)
class _SeriesHead:
    """``full`` chunks wait for a checkpoint; ``late`` samples are older than the newest that came before them."""

    open: OpenChunk = field(default_factory=OpenChunk)
    full: list[OpenChunk] = field(default_factory=list)
    late: dict[int, float] = field(default_factory=dict)
    newest_ms: int | None = None


class Head:
    """Takes samples in the order they come, and knows which chunks the disk does not have yet."""

    def __init__(self) -> None:
        self._series: dict[int, _SeriesHead] = {}
        self._lock = threading.Lock()

    def append(self, samples: SampleRows) -> None:
        """Adds samples. Of two with the same time the first counts, as in Prometheus."""
        with self._lock:
            for series_id, time_ms, value in zip(*samples.columns(), strict=True):
                head = self._series.get(series_id)
                if head is None:
                    head = self._series[series_id] = _SeriesHead()
                newest = head.newest_ms
                if newest is None or time_ms > newest:
                    chunk = head.open
                    if len(chunk.times) >= MOST_SAMPLES:
                        head.full.append(chunk)
                        chunk = head.open = OpenChunk()
                    chunk.times.append(time_ms)
                    chunk.values.append(value)
                    chunk.is_changed = True
                    head.newest_ms = time_ms
                elif time_ms < newest and time_ms not in head.late:
                    head.late[time_ms] = value

    def read(self, series_id: int) -> dict[int, tuple[Times, Values]]:
        """Runs of samples of one series by the rows they have in the database, or will have: rows count up as samples come."""
        with self._lock:
            head = self._series.get(series_id)
            if head is None:
                return {}
            chunks = [chunk for chunk in (*head.full, head.open) if chunk.times]
            runs = {NO_ROW + at if chunk.row is None else chunk.row: chunk.arrays() for at, chunk in enumerate(chunks)}
            if head.late:
                runs[NO_ROW + len(chunks)] = sorted_run(head.late)
            return runs

    def has_between(self, series_id: int, start_ms: int, end_ms: int) -> bool:
        """Whether one of the series' chunks here reaches into that time, both ends included."""
        with self._lock:
            head = self._series.get(series_id)
            if head is None:
                return False
            chunks = (chunk.times for chunk in (*head.full, head.open) if chunk.times)
            return any(times[0] <= end_ms and times[-1] >= start_ms for times in chunks) or any(
                start_ms <= time <= end_ms for time in head.late
            )

    def holds(self, series_id: int) -> bool:
        """Whether the series has samples here."""
        return series_id in self._series

    def unsaved(self) -> list[tuple[int, OpenChunk]]:
        """Each changed chunk with its series' id; late samples come as a chunk of their own. To be given to :meth:`saved` afterwards.

        Only the writer's thread appends and saves, so what this gives back does not change before it does so itself.
        """
        with self._lock:
            found = []
            for series_id, head in self._series.items():
                found += [(series_id, chunk) for chunk in (*head.full, head.open) if chunk.is_changed and chunk.times]
                if head.late:
                    times, values = sorted_run(head.late)
                    found.append((series_id, OpenChunk(array("q", times.tolist()), array("d", values.tolist()))))
            return found

    def saved(self, rows: Sequence[tuple[OpenChunk, int]]) -> None:
        """Notes that these chunks are in the database, each with its row, and lets go of what does not grow any more."""
        with self._lock:
            for chunk, row in rows:
                chunk.row, chunk.is_changed = row, False
            for head in self._series.values():
                head.full.clear()
                head.late.clear()

    def forget(self, older_than_ms: int) -> None:
        """Lets go of series that got nothing since; their samples are in the database, if a checkpoint came before."""
        with self._lock:
            quiet = [series_id for series_id, head in self._series.items() if head.newest_ms is not None and head.newest_ms < older_than_ms]
            for series_id in quiet:
                head = self._series[series_id]
                if not (head.open.is_changed or head.full or head.late):
                    del self._series[series_id]
