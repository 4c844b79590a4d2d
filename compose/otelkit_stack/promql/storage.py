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
        self._series: dict[Labels, tuple[list[int], list[float]]] = {}

    def add(self, labels: Labels | Mapping[str, str], samples: Iterable[tuple[int, float]]) -> None:
        """Append samples, ``(milliseconds, value)``, to a series. Raises ValueError for one that is not later than the last."""
        times, values = self._series.setdefault(labels if isinstance(labels, Labels) else Labels.of(labels), ([], []))
        for time, value in samples:
            if times and time <= times[-1]:
                raise ValueError(f"the sample at {time} ms does not come after the one at {times[-1]} ms")
            times.append(time)
            values.append(value)

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        found = []
        for labels, (times, values) in self._series.items():
            if select_all(tuple(matchers), labels):
                timestamps = np.array(times, dtype=np.int64)
                first, last = np.searchsorted(timestamps, (start_ms, end_ms + 1))
                if first < last:
                    found.append(Series(labels, timestamps[first:last], np.array(values[first:last], dtype=np.float64)))
        return found
