"""Where samples come from: what a store must offer, and one that keeps everything in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from otelkit_stack.promql.arrays import Floats, Integers
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.matchers import Matcher, select_all

STALE_BITS = 0x7FF0000000000002
"""The NaN that Prometheus writes where a series ended; any other NaN is a value."""
STALE = float(np.uint64(STALE_BITS).view(np.float64))


@dataclass(frozen=True, slots=True)
class Series:
    """Labels, and samples in the order of their times."""

    labels: Labels
    timestamps: Integers
    """Milliseconds since the epoch, each later than the one before."""
    values: Floats


class Storage(Protocol):
    """What the evaluator asks a store for."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        """The series that fulfil every condition, with their samples from start to end, both included.

        More samples around them do no harm; a series without any may be left out. The order is that of an instant query's answer.
        """
        ...


class MemoryStorage:
    """Series in memory, in the order in which they were first added."""

    def __init__(self) -> None:
        self._series: dict[Labels, Series] = {}

    def add(self, labels: Labels | Mapping[str, str], samples: Iterable[tuple[int, float]]) -> None:
        """Append samples, ``(milliseconds, value)``, to a series. Raises ValueError for one that is not later than the last."""
        key = labels if isinstance(labels, Labels) else Labels.of(labels)
        known = self._series.get(key, Series(key, np.empty(0, dtype=np.int64), np.empty(0)))
        added = list(samples)
        times = np.concatenate([known.timestamps, np.array([time for time, _ in added], dtype=np.int64)])
        if (times[1:] <= times[:-1]).any():
            raise ValueError(f"the samples of {key} are not in the order of their times")
        values = np.concatenate([known.values, np.array([value for _, value in added], dtype=np.float64)])
        self._series[key] = Series(key, times, values)

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        wanted = tuple(matchers)
        found = []
        for labels, series in self._series.items():
            if select_all(wanted, labels):
                first, last = np.searchsorted(series.timestamps, (start_ms, end_ms + 1))
                if first < last:
                    found.append(Series(labels, series.timestamps[first:last], series.values[first:last]))
        return found
