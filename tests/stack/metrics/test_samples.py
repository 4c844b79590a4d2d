"""Samples survive what happens to a stack, and the two roads to them, the head's and the disk's, always agree."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otelkit_stack import schema, store
from otelkit_stack.metrics.chunk import MOST_SAMPLES
from otelkit_stack.metrics.label_index import METRIC_NAME
from otelkit_stack.queries import Queries
from otelkit_stack.rows import content_id
from otelkit_stack.store import Store
from tests.stack.metrics.samples import batch_of, on_disk, selected


def test_samples_are_the_same_before_and_after_checkpoints_and_restarts(tmp_path: Path):
    expected = [(time, float(time)) for time in range(0, 10 * MOST_SAMPLES, 7)]
    for first in range(0, len(expected), 50):
        with Store(tmp_path, retention_s=None) as writing, Queries(tmp_path) as reading:
            writing.submit(batch_of({"up": expected[first : first + 50]}))
            writing.flush()
            so_far = expected[: first + 50]
            assert selected(writing, reading, "up") == on_disk(reading, "up") == so_far
            assert writing._checkpoint()
            assert selected(writing, reading, "up") == on_disk(reading, "up") == so_far


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.just("checkpoint"), st.just("restart"), st.lists(st.integers(0, 400), max_size=80)), max_size=12), st.data())
def test_samples_that_come_late_or_twice_end_up_in_order_and_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[object], data: st.DataObject
):
    """Exporters that saw no answer send again, and workers' clocks differ; the first value of a moment counts."""
    folder = tmp_path_factory.mktemp("samples")
    expected: dict[int, float] = {}
    writing, reading = Store(folder, retention_s=None), Queries(folder)
    try:
        for number, step in enumerate(steps):
            if step == "restart":
                writing.close()
                writing = Store(folder, retention_s=None)
            elif step == "checkpoint":
                assert writing._checkpoint()
            else:
                assert isinstance(step, list)
                for time in step:
                    expected.setdefault(time, time + number / 1000)
                writing.submit(batch_of({"up": [(time, time + number / 1000) for time in step]}))
                writing.flush()
        start, end = data.draw(st.integers(0, 400)), data.draw(st.integers(0, 400))
        whole = sorted(expected.items())
        assert on_disk(reading, "up") == whole
        assert selected(writing, reading, "up", start, end) == [(time, value) for time, value in whole if start <= time <= end]
    finally:
        writing.close()
        reading.close()


def test_a_killed_writer_has_lost_nothing_that_was_flushed(tmp_path: Path):
    """Twenty times SIGKILL in the midst of transactions and checkpoints."""
    flushed = 0
    for _ in range(20):
        command = [sys.executable, "-m", "tests.stack.metrics.killed_writer", str(tmp_path), str(flushed + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                flushed = int(line)
                if flushed % 7 == 0:
                    process.kill()
                    break
            flushed = max([flushed, *map(int, process.stdout.read().split())])
    with Store(tmp_path, retention_s=None) as writing, Queries(tmp_path) as reading:
        up = selected(writing, reading, "up")
        assert up == on_disk(reading, "up")
        assert [value for _, value in up][:flushed] == [float(number) for number in range(1, flushed + 1)]
        assert [(time, -value) for time, value in selected(writing, reading, "down")] == up


def test_a_database_with_a_row_for_each_sample_is_brought_up_to_date(tmp_path: Path):
    """What version 1 wrote is kept, staleness marks included."""
    connection = sqlite3.connect(tmp_path / "otelkit.db", isolation_level=None)
    assert isinstance(schema.STEPS[0], str)
    connection.executescript(schema.STEPS[0])
    connection.execute("PRAGMA user_version = 1")
    key = content_id("series", "up", "{}")
    connection.execute("INSERT INTO series VALUES (?, 'up', '{}')", (key,))
    connection.executemany("INSERT INTO sample VALUES (?, ?, ?)", [(key, time, time / 2) for time in range(1000)])
    connection.execute("INSERT INTO sample VALUES (?, 1000, ?)", (key, bytes.fromhex("7ff0000000000002")))
    connection.close()
    with Store(tmp_path, retention_s=None) as writing, Queries(tmp_path) as reading:
        samples = selected(writing, reading, "up")
        assert samples[:1000] == [(time, time / 2) for time in range(1000)]
        assert [time for time, _ in on_disk(reading, "up")] == list(range(1001))


def test_what_is_too_old_leaves_by_whole_chunks_and_takes_its_series_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    now = 1_790_000_000_000
    monkeypatch.setattr(store.time, "time_ns", lambda: now * 1_000_000)
    with Store(tmp_path, retention_s=60) as writing, Queries(tmp_path) as reading:
        writing.submit(batch_of({"old": [(now - 7_200_000, 1.0)], "young": [(now, 1.0)]}))
        writing.flush()
        assert writing._checkpoint()
        writing._prune()
        assert (selected(writing, reading, "old"), selected(writing, reading, "young")) == ([], [(now, 1.0)])
        assert writing.samples.index.values(METRIC_NAME) == ["young"]
        writing.submit(batch_of({"old": [(now, 2.0)]}))  # a series may come back
        writing.flush()
        assert selected(writing, reading, "old") == [(now, 2.0)]
