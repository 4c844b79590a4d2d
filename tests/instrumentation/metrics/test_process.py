"""What a process says about itself is read for that process, each time."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest

from otelkit.catalog.metrics import (
    CPYTHON_GC_COLLECTIONS,
    PROCESS_OPEN_FILE_DESCRIPTOR_COUNT,
    PROCESS_THREAD_COUNT,
)
from otelkit.config import Service
from otelkit.metrics import process
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.process import observe_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc to compare with")


@pytest.fixture
def read():
    aggregator = Aggregator(series_cap=100)
    observe_process(aggregator, Service())

    def value(metric, labels=()):
        snapshot = next(found for found in aggregator.collect() if found.metric is metric)
        return next(point.value for point in snapshot.numbers if point.labels == labels)

    return value


def test_a_file_that_is_opened_is_counted(read):
    before = read(PROCESS_OPEN_FILE_DESCRIPTOR_COUNT)
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    assert read(PROCESS_OPEN_FILE_DESCRIPTOR_COUNT) == before + 5
    for descriptor in opened:
        os.close(descriptor)
    assert read(PROCESS_OPEN_FILE_DESCRIPTOR_COUNT) == before


def test_a_thread_that_runs_is_counted(read):
    before, ending = read(PROCESS_THREAD_COUNT), threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    assert read(PROCESS_THREAD_COUNT) == before + 1
    ending.set()
    thread.join()


def test_a_collection_is_counted_in_its_generation(read):
    before = read(CPYTHON_GC_COLLECTIONS, ("2",))
    gc.collect()
    assert read(CPYTHON_GC_COLLECTIONS, ("2",)) == before + 1


def test_where_the_system_has_no_proc_nothing_is_said_rather_than_something_else(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "_DESCRIPTORS", tmp_path / "absent")
    monkeypatch.setattr(process, "_THREADS", tmp_path / "absent")
    monkeypatch.setattr(process, "_STATM", tmp_path / "absent")
    aggregator = Aggregator(series_cap=100)
    observe_process(aggregator, Service())
    names = {snapshot.metric.name for snapshot in aggregator.collect()}
    assert "process.cpu.time" in names
    assert not names & {"process.open_file_descriptor.count", "process.thread.count", "process.memory.usage"}
