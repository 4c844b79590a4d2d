"""A chunk gives back each bit that went in, and is small for what services send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelkit_stack.metrics.chunk import MOST_SAMPLES, decode, encode
from otelkit_stack.metrics.merging import between, merged
from otelkit_stack.rows import STALE_NAN, is_stale

NOW_MS = 1_790_000_000_000


@given(st.lists(st.tuples(st.integers(0, 2**62), st.floats()), min_size=1, max_size=MOST_SAMPLES, unique_by=lambda sample: sample[0]))
def test_every_bit_of_times_and_values_comes_back(samples: list[tuple[int, float]]):
    times = np.array(sorted(time for time, _ in samples), dtype=np.int64)
    values = np.array([value for _, value in samples], dtype=np.float64)
    again_times, again_values = decode(encode(times, values))
    assert again_times.tolist() == times.tolist()
    assert again_values.tobytes() == values.tobytes()


def test_the_staleness_mark_stays_that_one_nan():
    times, values = np.array([1, 2, 3], dtype=np.int64), np.array([1.0, STALE_NAN, float("nan")])
    assert [is_stale(value) for value in decode(encode(times, values))[1]] == [False, True, False]


def test_a_counter_that_is_exported_evenly_takes_few_bytes_a_sample():
    """A row of a table took sixty."""
    times = np.arange(MOST_SAMPLES, dtype=np.int64) * 15_000 + NOW_MS
    values = np.cumsum(np.arange(MOST_SAMPLES) % 7).astype(np.float64)
    assert len(encode(times, values)) / MOST_SAMPLES < 4


def test_bytes_that_are_no_chunk_are_refused():
    with pytest.raises(ValueError, match="4 bytes are no chunk"):
        decode(b"oops")


_runs = st.lists(st.lists(st.integers(0, 50), unique=True, max_size=20).map(sorted), max_size=5)


@given(_runs, st.integers(0, 50), st.integers(0, 50))
def test_merged_runs_are_what_a_dictionary_would_hold(runs: list[list[int]], start: int, end: int):
    """The first of several samples with one time counts."""
    expected: dict[int, float] = {}
    arrays = {}
    for number, run in enumerate(runs):
        arrays[number] = (np.array(run, dtype=np.int64), np.array([number + time / 100 for time in run], dtype=np.float64))
        for time in run:
            expected.setdefault(time, number + time / 100)
    times, values = between(merged(dict(reversed(arrays.items()))), start, end)
    assert dict(zip(times.tolist(), values.tolist(), strict=True)) == {
        time: value for time, value in expected.items() if start <= time <= end
    }
    assert times.tolist() == sorted(times.tolist())
