"""Workers that share a folder: counters never fall, gauges end with their worker, broken files harm nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    PROCESS_MEMORY_USAGE,
    PROCESS_UPTIME,
)
from otelkit.metrics.aggregator import OVERFLOW, Aggregator
from otelkit.metrics.exchange import SUFFIX, Exchange
from otelkit.metrics.processes import Process

LABELS = {"service_name": "orders"}
ERROR = ("ValueError", "/", False, None)
ROUTE = ("GET", "/", 200, "http", None)


def worked(errors: int, *, observations: int = 0) -> list:
    """What a worker has to tell that captured so many errors."""
    aggregator = Aggregator(series_cap=10)
    aggregator.counter(ERRORS_CAPTURED).add(errors, ERROR)
    aggregator.counter(HTTP_SERVER_ACTIVE_REQUESTS).add(1, ("GET", "http"))
    for _ in range(observations):
        aggregator.histogram(HTTP_SERVER_REQUEST_DURATION).record(0.02, ROUTE)
    aggregator.observe(PROCESS_UPTIME, lambda: [((), 5.0)])
    return aggregator.collect()


def value(snapshots, metric, labels):
    found = [point for snapshot in snapshots if snapshot.metric.name == metric.name for point in snapshot.numbers if point.labels == labels]
    return found[0].value if found else None


def left_by_a_dead_worker(folder: Path, slot: int, errors: int, *, server: Process | None = None) -> Path:
    """The file that a worker of this slot, and of this server, leaves when it dies."""
    exchange = Exchange(folder, "orders", slot)
    exchange.write(LABELS, exchange.total(worked(errors, observations=2)))
    exchange.close()
    path = folder / f"orders-{slot}{SUFFIX}"
    plain = json.loads(path.read_text())
    plain["process"] = [ended_pid(), "1"]
    plain["server"] = (server or Process.parent()).plain()
    path.write_text(json.dumps(plain))
    return path


def holding(metric: str) -> str:
    """A worker's file with this one metric."""
    return f'{{"process": [1, ""], "server": [1, ""], "labels": {{}}, "metrics": [{metric}]}}'


def ended_pid() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Exchange]]:
    """Places of workers in one folder, given back at the end."""
    taken: list[Exchange] = []

    def take(slot: int, *, service: str = "orders", folder: Path = tmp_path) -> Exchange:
        taken.append(Exchange(folder, service, slot))
        return taken[-1]

    yield take
    for exchange in taken:
        exchange.close()


def test_a_worker_sees_what_another_wrote(place):
    one, two = place(0), place(1)
    one.write(LABELS, worked(3))
    (report,) = two.others()
    assert report.is_alive
    assert report.labels == LABELS
    assert value(report.snapshots, ERRORS_CAPTURED, ERROR) == 3
    assert value(report.snapshots, PROCESS_UPTIME, ()) == 5
    assert one.others() == [], "its own file is not another's"


def test_what_is_written_is_read_back_whole(place):
    """Overflow, absent labels, buckets and exemplars included."""
    from opentelemetry.trace import SpanContext, TraceFlags

    aggregator = Aggregator(series_cap=1)
    span = SpanContext(2**127 + 1, 2**63 + 1, is_remote=False, trace_flags=TraceFlags(1))
    for route in ("/", "/b", "/c"):
        aggregator.histogram(HTTP_SERVER_REQUEST_DURATION).record(0.02, ("GET", route, 200, "http", None), span)
    written = aggregator.collect()
    one, two = place(0), place(1)
    one.write(LABELS, written)
    read = two.others()[0].snapshots
    assert [snapshot.histograms for snapshot in read] == [snapshot.histograms for snapshot in written]
    assert any(point.labels is OVERFLOW for point in read[0].histograms)


def test_of_a_dead_worker_the_counts_stay_and_the_gauges_go(tmp_path, place):
    left_by_a_dead_worker(tmp_path, 0, errors=4)
    (report,) = place(1).others()
    assert not report.is_alive
    assert value(report.snapshots, ERRORS_CAPTURED, ERROR) == 4
    assert [snapshot.metric.name for snapshot in report.snapshots] == [HTTP_SERVER_REQUEST_DURATION.name, ERRORS_CAPTURED.name]


def test_the_next_worker_of_a_slot_goes_on_counting(tmp_path, place):
    """A counter never falls, and twenty recycled workers are one file."""
    for _ in range(20):
        left_by_a_dead_worker(tmp_path, 0, errors=3)
    heir = place(0)
    total = heir.total(worked(1, observations=1))
    assert value(total, ERRORS_CAPTURED, ERROR) == 61
    assert value(total, HTTP_SERVER_ACTIVE_REQUESTS, ("GET", "http")) == 1
    (duration,) = [point for snapshot in total for point in snapshot.histograms]
    assert (sum(duration.counts), round(duration.sum, 6)) == (41, 0.82)
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 1


def test_a_worker_that_has_finished_but_not_quite_ended_is_inherited_too(place):
    """It gave its place back; its process may be there for some milliseconds more."""
    first = place(0)
    first.write(LABELS, worked(3))
    first.close()
    assert value(place(0).total([]), ERRORS_CAPTURED, ERROR) == 3


def test_what_only_the_predecessor_counted_is_still_told(tmp_path, place):
    left_by_a_dead_worker(tmp_path, 0, errors=3)
    assert value(place(0).total([]), ERRORS_CAPTURED, ERROR) == 3


def test_files_of_a_server_that_ended_are_removed(tmp_path, place):
    """A new deploy begins at zero: its old workers are not its past."""
    path = left_by_a_dead_worker(tmp_path, 0, errors=3, server=Process(ended_pid(), "1"))
    other = left_by_a_dead_worker(tmp_path, 1, errors=3, server=Process(ended_pid(), "1"))
    fresh = place(0)
    assert fresh.total([]) == ()
    assert fresh.others() == []
    assert not path.exists()
    assert not other.exists()


def test_another_process_with_the_same_number_is_not_the_same_worker():
    assert Process.this().is_alive()
    if Process.this().began:
        assert not Process(os.getpid(), "1").is_alive()
    assert not Process(ended_pid(), "1").is_alive()


def test_two_processes_never_write_one_file(tmp_path, place):
    """Another user's process may have the same slot number."""
    one, two = place(0), place(0)
    one.write(LABELS, worked(1))
    two.write(LABELS, worked(2))
    assert sorted(path.name for path in tmp_path.glob(f"*{SUFFIX}")) == [f"orders-0{SUFFIX}", f"orders-pid{os.getpid()}{SUFFIX}"]


def test_services_do_not_see_each_other(place):
    place(0).write(LABELS, worked(1))
    assert place(0, service="stock/../../etc").others() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        holding('[["a", "counter", "s", "h", ["x"], []], [[[], 1]], []]'),
        holding('[["a", "histogram", "s", "h", [], [1]], [], [[[], [1], 1, []]]]'),
        holding('[["a", "nonsense", "s", "h", [], []], [], []]'),
    ],
)
def test_a_broken_file_is_passed_over(tmp_path, text, place):
    """B5: a full disk, another version of the kit, or somebody's joke."""
    exchange = place(0)
    (tmp_path / f"orders-1{SUFFIX}").write_text(text)
    assert exchange.others() == []


def test_a_folder_that_cannot_be_used_is_said_once_and_harms_nothing(tmp_path, caplog, place):
    blocked = tmp_path / "file"
    blocked.write_text("")
    exchange = place(0, folder=blocked / "folder")
    for _ in range(3):
        exchange.write(LABELS, worked(1))
    assert exchange.others() == []
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "each /metrics shows only the worker that answers" in said[0]
    assert value(exchange.total(worked(1)), ERRORS_CAPTURED, ERROR) == 1


def test_memory_is_a_gauge_of_the_living(tmp_path, place):
    """Up-down counters of a dead worker would be counted for ever: its requests in flight, its memory."""
    assert PROCESS_MEMORY_USAGE.kind is HTTP_SERVER_ACTIVE_REQUESTS.kind
    left_by_a_dead_worker(tmp_path, 0, errors=1)
    (report,) = place(1).others()
    assert value(report.snapshots, HTTP_SERVER_ACTIVE_REQUESTS, ("GET", "http")) is None
