"""Stored samples of many series in one piece, and which of them a step sees.

Series are concatenated, so that one numpy operation works on all of them; a sample is known by its index in the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats, Integers
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.grid import Grid
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.storage import STALE_BITS, Series

_CELLS_AT_ONCE = 1 << 17
"""How many windows are computed together: as many as fit into a processor's cache with what is computed from them."""
_SAMPLES_AT_ONCE = 1 << 17
"""How many samples of windows are laid side by side."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of some series, series by series, each in the order of time."""

    labels: list[Labels]
    nameless: list[bool]
    times: Integers
    values: Floats
    bounds: Integers
    """The samples of series ``i`` are those from ``bounds[i]`` until before ``bounds[i + 1]``."""

    @classmethod
    def of_series(cls, series: Sequence[Series]) -> Samples:
        """What a store found."""
        lengths = np.fromiter((one.timestamps.size for one in series), dtype=np.int64, count=len(series))
        return cls(
            [one.labels for one in series],
            [False] * len(series),
            np.concatenate([one.timestamps for one in series]) if series else np.empty(0, dtype=np.int64),
            np.concatenate([one.values for one in series]) if series else np.empty(0),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        )

    @classmethod
    def of_frame(cls, frame: Frame, grid: Grid) -> Samples:
        """The values of a subquery's inner expression as if they had been stored."""
        lengths = frame.present.sum(axis=1)
        return cls(
            frame.labels,
            frame.nameless,
            np.broadcast_to(grid.times, frame.present.shape)[frame.present],
            frame.values[frame.present],
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        )

    def stale(self) -> Booleans:
        """Which samples only say that their series ended."""
        stale: Booleans = self.values.view(np.uint64) == np.uint64(STALE_BITS)
        return stale

    def without_stale(self) -> Samples:
        """Only the samples that are values, as ranges see them."""
        stale = self.stale()
        if not stale.any():
            return self
        kept_before = np.concatenate([[0], np.cumsum(~stale)])
        return Samples(self.labels, self.nameless, self.times[~stale], self.values[~stale], kept_before[self.bounds])

    def until(self, grid: Grid) -> Integers:
        """For each series and each moment, the index behind the last sample that is not later than the moment."""
        count = len(self.labels)
        # The first moment that sees the sample; counting the samples by it and summing up takes no search at all.
        seen_from = np.maximum(-((grid.start - self.times) // grid.step), 0)
        row_of = np.repeat(np.arange(count, dtype=np.int64), np.diff(self.bounds))
        in_time = seen_from < grid.count
        cells = np.bincount((row_of * grid.count + seen_from)[in_time], minlength=count * grid.count)
        seen: Integers = cells.reshape(count, grid.count).cumsum(axis=1, dtype=np.int64)
        seen += self.bounds[:-1, np.newaxis]
        return seen

    def parts(self, steps: int) -> Iterator[tuple[slice, Samples]]:
        """A few series at a time, and which ones they are; series without any sample are left out."""
        size = max(1, _CELLS_AT_ONCE // max(1, steps))
        for start in range(0, len(self.labels), size):
            rows = slice(start, min(start + size, len(self.labels)))
            first, behind = int(self.bounds[rows.start]), int(self.bounds[rows.stop])
            if first < behind:
                bounds = self.bounds[rows.start : rows.stop + 1] - first
                yield (
                    rows,
                    Samples(self.labels[rows], self.nameless[rows], self.times[first:behind], self.values[first:behind], bounds),
                )


@dataclass(frozen=True, slots=True)
class Gathered:
    """Some windows as columns, their samples from the first to the last as rows."""

    cells: slice
    """Which windows they are, counted row by row."""
    index: Integers
    """Of the sample; 0 where a window has no more."""
    is_member: Booleans


@dataclass(frozen=True, slots=True)
class Windows:
    """What a range selector sees: for each of some series (a row) and each step (a column) the samples of a stretch of time.

    There is at least one sample in ``times`` and ``values``, so that index 0 may stand where a window has none.
    The stretch ends with ``ends`` and is open at its beginning: a sample exactly ``length_ms`` before the end is not in it.
    """

    times: Integers
    values: Floats
    lows: Integers
    """Index of the first sample of each window."""
    highs: Integers
    """Index behind the last one."""
    ends: Integers
    """Where the windows of a step end."""
    length_ms: int
    length_s: float
    steps: Integers
    """When each step is evaluated."""

    @property
    def counts(self) -> Integers:
        """How many samples each window holds."""
        return self.highs - self.lows

    def gathered(self) -> Iterator[Gathered]:
        """The samples of the windows side by side, some windows at a time."""
        lows, counts = self.lows.ravel(), self.counts.ravel()
        longest = int(counts.max(initial=0))
        size = max(1, _SAMPLES_AT_ONCE // max(1, longest))
        offsets = np.arange(longest)[:, np.newaxis]
        for start in range(0, lows.size, size):
            cells = slice(start, start + size)
            is_member = offsets < counts[cells]
            yield Gathered(cells, np.where(is_member, lows[cells] + offsets, 0), is_member)


def windows_of(samples: Samples, ends: Grid, length_ms: int, length_s: float, steps: Grid) -> Windows:
    """The windows of all series that end at the given moments, one for each step."""
    shape = (len(samples.labels), steps.count)
    lows, highs = samples.until(ends.shifted(-length_ms)), samples.until(ends)
    return Windows(
        samples.times,
        samples.values,
        # Where @ fixes them there is one window, which every step sees.
        np.broadcast_to(lows, shape),
        np.broadcast_to(highs, shape),
        np.broadcast_to(ends.times, (steps.count,)),
        length_ms,
        length_s,
        steps.times,
    )
