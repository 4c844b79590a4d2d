"""Where samples come from: what a store must offer, and one that keeps everything in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from otelkit_stack.promql.arrays import Floats, Integers
from otelkit_stack.promql.labels import Labels
from otelkit_stack.selectors.matchers import Matcher, select_all

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

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Iterable[Series]:
        """The series that fulfil every condition, with their samples from start to end, both included.

        More samples around them do no harm; a series without any may be left out. The order is that of an instant query's answer.
        A store that hands over one series after another is not asked for the next one when the query holds too many samples, is
        cancelled or takes too long.
        """
        ...


class MemoryStorage:
    """Series in memory, in the order in which they were first added."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Growing] = {}

    def add(self, labels: Labels | Mapping[str, str], samples: Iterable[tuple[int, float]]) -> None:
        """Append samples, ``(milliseconds, value)``, to a series. Raises ValueError for one that is not later than the last."""
        key = labels if isinstance(labels, Labels) else Labels.of(labels)
        series = self._series.setdefault(key, _Growing(key))
        for time, value in samples:
            series.append(time, value)

    def append(self, samples: Iterable[tuple[Labels, int, float]]) -> None:
        """Append samples of any series, ``(labels, milliseconds, value)``, but for those that are not later than their series' last."""
        for labels, time, value in samples:
            series = self._series.setdefault(labels, _Growing(labels))
            if time > series.last:
                series.append(time, value)

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        wanted = tuple(matchers)
        found = []
        for labels, growing in self._series.items():
            if select_all(wanted, labels):
                series = growing.so_far()
                first, last = np.searchsorted(series.timestamps, (start_ms, end_ms + 1))
                if first < last:
                    found.append(Series(labels, series.timestamps[first:last], series.values[first:last]))
        return found


class _Growing:
    """A series that is still written to; arrays of it are made when somebody asks."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._times: list[int] = []
        self._values: list[float] = []
        self._series: Series | None = None

    @property
    def last(self) -> int:
        return self._times[-1] if self._times else -(2**63)

    def append(self, time: int, value: float) -> None:
        if time <= self.last:
            raise ValueError(f"the sample of {self._labels} at {time} ms does not come after the one at {self.last} ms")
        self._times.append(time)
        self._values.append(value)
        self._series = None

    def so_far(self) -> Series:
        if self._series is None:
            self._series = Series(self._labels, np.array(self._times, dtype=np.int64), np.array(self._values, dtype=np.float64))
        return self._series
