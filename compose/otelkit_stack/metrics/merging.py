"""Runs of samples as one: by time, and of several samples with one time the first that came."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from otelkit_stack.metrics.chunk import Times, Values

NOTHING: tuple[Times, Values] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def sorted_run(samples: Mapping[int, float]) -> tuple[Times, Values]:
    """Values by time as a run."""
    ordered = sorted(samples.items())
    return np.array([time for time, _ in ordered], dtype=np.int64), np.array([value for _, value in ordered], dtype=np.float64)


def merged(runs: Mapping[int, tuple[Times, Values]]) -> tuple[Times, Values]:
    """One run of several, each of which rises by itself; where times are equal, the run of the lowest key wins."""
    if not runs:
        return NOTHING
    ordered = [runs[row] for row in sorted(runs)]
    if len(ordered) == 1:
        return ordered[0]
    times = np.concatenate([run[0] for run in ordered])
    values = np.concatenate([run[1] for run in ordered])
    if np.all(times[1:] > times[:-1]):  # as it nearly always is
        return times, values
    times, first = np.unique(times, return_index=True)
    return times, values[first]


def between(run: tuple[Times, Values], start_ms: int, end_ms: int) -> tuple[Times, Values]:
    """The samples of a run from ``start_ms`` to ``end_ms``, both included."""
    times, values = run
    if not len(times) or (start_ms <= times[0] and times[-1] <= end_ms):  # a search costs more than the rest of a series' reading
        return run
    first, last = np.searchsorted(times, start_ms, "left"), np.searchsorted(times, end_ms, "right")
    return times[first:last], values[first:last]
