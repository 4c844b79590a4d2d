"""The queue, the writer and the database: what is acknowledged gets written, and what cannot be is said in one sentence."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from otelkit_stack import database, schema, store
from otelkit_stack.errors import StackError
from otelkit_stack.queries import Queries
from otelkit_stack.receiver.logs import read_logs
from otelkit_stack.receiver.metrics import read_metrics
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.rows import Batch
from otelkit_stack.server import stack_app
from otelkit_stack.store import QueueFullError, Store
from otelkit_stack.testing import running_stack
from tests.backends import wait_until
from tests.stack.otlp_requests import logs, metrics, post, span, traces

NOW = time.time_ns()


def spans_of(count: int, *, first: int = 1, start_ns: int = NOW) -> Batch:
    """A batch of that many spans, each a trace of its own."""
    return read_traces(traces(*(span("00f067aa0ba902b7", trace_id=f"{first + n:032x}", start_ns=start_ns) for n in range(count))))[0]


def test_a_batch_can_be_read_after_a_flush_and_without_one_a_moment_later(tmp_path: Path):
    with Store(tmp_path) as writing, Queries(tmp_path) as reading:
        writing.submit(spans_of(1, first=1))
        writing.flush()
        assert reading.trace("1") is not None
        writing.submit(spans_of(1, first=2))
        wait_until(lambda: reading.trace("2"), 5, "the second batch was not written by itself", every=0.01)


def test_batches_that_come_together_share_a_transaction(tmp_path: Path):
    """Sixty commits a second would wear a disk out; the writer gathers instead."""
    with Store(tmp_path, commit_interval_s=60) as writing:
        statements: list[str] = []
        writing._connection.set_trace_callback(statements.append)
        for number in range(1, 50):
            writing.submit(spans_of(1, first=number))
        writing.flush()
        assert sum(statement.startswith("COMMIT") for statement in statements) <= 2
        assert writing.counts.written == 49


def test_an_sqlite_that_takes_few_values_at_once_is_given_fewer(tmp_path: Path):
    """999 were all that it took until 2020."""
    with Store(tmp_path) as writing, Queries(tmp_path) as reading:
        writing._connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        writing.submit(spans_of(347))
        writing.flush()
        assert (len(reading.newest_traces(1_000)), writing.counts.dropped) == (347, 0)


def test_close_writes_what_waits(tmp_path: Path):
    with Store(tmp_path, commit_interval_s=60) as writing:
        writing.submit(spans_of(5))
    with Queries(tmp_path) as reading:
        assert len(reading.newest_traces()) == 5
    with pytest.raises(StackError, match="closed"):
        writing.submit(spans_of(1))


def test_a_full_queue_refuses_and_one_that_has_room_again_takes(tmp_path: Path):
    with Store(tmp_path, capacity=10, commit_interval_s=60) as writing:
        writing.submit(spans_of(8, first=1))
        with pytest.raises(QueueFullError, match="8 of at most 10 records wait"):
            writing.submit(spans_of(3, first=100))
        writing.submit(spans_of(2, first=200))
        writing.flush()
        writing.submit(spans_of(3, first=100))
        writing.flush()
        assert (writing.counts.accepted, writing.counts.written, writing.counts.queued) == (13, 13, 0)


def test_a_batch_above_the_capacity_passes_when_nothing_waits(tmp_path: Path):
    """Refused, it would come again for ever."""
    with Store(tmp_path, capacity=10) as writing:
        writing.submit(spans_of(20))
        writing.flush()
        assert writing.counts.written == 20


async def _post_twice(app: object) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:  # type: ignore[arg-type]
        headers = {"Content-Type": "application/x-protobuf"}
        bodies = [traces(*(span("00f067aa0ba902b7", trace_id=f"{n:032x}") for n in numbers)) for numbers in ((1, 2), (3, 4))]
        return [await client.post("/v1/traces", content=body.SerializeToString(), headers=headers) for body in bodies]


def test_over_http_a_full_queue_is_429_with_a_retry_after(tmp_path: Path):
    import asyncio

    with Store(tmp_path, capacity=3, commit_interval_s=60) as writing, Queries(tmp_path) as reading:
        first, second = asyncio.run(_post_twice(stack_app(writing, reading)))
        assert (first.status_code, second.status_code, second.headers["retry-after"]) == (200, 429, "1")
        assert b"The stack is behind" in second.content


# --- what the database refuses ----------------------------------------------------------------------------------------
def test_a_database_of_a_newer_otelkit_is_refused_by_writer_and_reader(tmp_path: Path):
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "otelkit.db")
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    for opening in (Store, Queries):
        with pytest.raises(StackError, match=r"otelkit\.db was written by a newer otelkit .* Upgrade otelkit"):
            opening(tmp_path)


def test_an_empty_database_takes_every_step_and_a_current_one_none(tmp_path: Path):
    Store(tmp_path).close()
    # Not the store's own connection: its writer may use that meanwhile, and SQLite's lock and Python's would be taken in both orders.
    with closing(sqlite3.connect(tmp_path / "otelkit.db")) as connection:
        assert schema.version_of(connection) == schema.VERSION == len(schema.STEPS)
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        schema.upgrade(connection)
        assert statements
        assert not [statement for statement in statements if "CREATE" in statement]


def test_a_step_that_fails_leaves_the_database_at_the_step_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Store(tmp_path).close()
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "CREATE TABLE half (a); CREATE TABLE half (a);"))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StackError, match="half already exists"):
        Store(tmp_path)
    monkeypatch.undo()
    Store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "otelkit.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchall()
        assert (tables, schema.version_of(connection)) == ([], schema.VERSION)


def test_one_database_has_one_stack_and_the_next_may_have_it_afterwards(tmp_path: Path):
    """E5: an interrupted or doubled start is one clear sentence."""
    with Store(tmp_path), pytest.raises(StackError, match=r"otelkit\.db is in use by another stack\. Stop that one, or"):
        Store(tmp_path)
    Store(tmp_path).close()


@contextmanager
def without_root() -> Iterator[None]:
    """Root may write anywhere, so the test gives its rights up for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_without_write_permission_is_one_sentence():
    """E5."""
    with (
        without_root(),
        pytest.raises(StackError, match=r"cannot be written to\. Make it writable for this user, or choose another folder"),
    ):
        Store(Path("/etc/otelkit-stack-test"))


def test_a_read_only_folder_with_a_database_is_one_sentence():
    """E5."""
    # Not below tmp_path, whose parents only root may enter when root runs the tests.
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "data"
        Store(folder).close()
        Path(outer).chmod(0o755)
        folder.chmod(0o555)
        with without_root(), pytest.raises(StackError, match=r"data cannot be written to"):
            Store(folder)
        folder.chmod(0o755)


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="is not a folder"):
        Store(tmp_path / "file" / "data")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path):
    (tmp_path / "otelkit.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StackError, match="damaged, or not a database"):
        Store(tmp_path)


def test_reading_a_database_that_does_not_exist_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(StackError, match=r"does not exist\. Start the stack"):
        Queries(tmp_path)


def test_a_disk_that_is_full_at_the_start_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """E5. SQLite's page limit raises what a full disk raises."""
    real = sqlite3.connect

    def tiny(*args: object, **kwargs: object) -> sqlite3.Connection:
        connection = real(*args, **kwargs)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(database.sqlite3, "connect", tiny)
    with pytest.raises(StackError, match=r"The disk that holds .* is full\. Free some space, or choose another folder"):
        Store(tmp_path)


def test_a_disk_that_fills_up_delays_what_is_written_and_is_said_until_there_is_room(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """E5: the queue holds what the disk refuses, senders hear about it when it is full, and nothing is lost once there is room."""
    with running_stack(tmp_path) as stack:
        connection = stack.store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        stack.store._capacity = 300
        statuses = [
            post(stack.url, traces(*(span(f"{n + 1:016x}", trace_id=f"{t:032x}") for n in range(100)))).status_code for t in (1, 2, 3)
        ]
        assert statuses == [200, 200, 200]
        wait_until(lambda: stack.store.failure, 5, "the writer did not notice", every=0.01)
        ready = httpx.get(stack.url + "/-/ready")
        assert (ready.status_code, "is full" in ready.text) == (503, True)
        refused = post(stack.url, traces(span("00f067aa0ba902b7", trace_id=f"{4:032x}")))
        assert (refused.status_code, b"is full" in refused.content) == (429, True)

        connection.execute("PRAGMA max_page_count = 1000000")
        stack.flush()
        assert httpx.get(stack.url + "/-/ready").text == "ready\n"
        assert [trace.spans for trace in stack.queries.newest_traces()] == [100, 100, 100]
        assert (stack.store.counts.dropped, stack.store.failure) == (0, None)
    assert caplog.text.count("is full") == 1  # said once, not every second


def test_what_the_disk_refuses_to_the_end_is_counted_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with Store(tmp_path, commit_interval_s=60) as writing:
        (pages,) = writing._connection.execute("PRAGMA page_count").fetchone()
        writing._connection.execute(f"PRAGMA max_page_count = {pages}")
        writing.submit(spans_of(500))
        with pytest.raises(StackError, match="is full"):
            writing.flush(timeout_s=0.5)
    assert (writing.counts.dropped, writing.counts.queued) == (500, 0)
    assert "500 records were dropped at the end" in caplog.text


def test_a_writer_waits_for_a_shell_that_holds_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.01)
    monkeypatch.setattr(store, "RETRY_INTERVAL_S", 0.01)
    with Store(tmp_path) as writing, Queries(tmp_path) as reading:
        shell = sqlite3.connect(tmp_path / "otelkit.db", isolation_level=None)
        shell.execute("BEGIN IMMEDIATE")
        writing.submit(spans_of(1))
        wait_until(lambda: writing.failure, 5, "the lock was not noticed", every=0.01)
        assert "is locked by another program" in str(writing.failure)
        shell.close()
        writing.flush()
        assert (reading.trace("1") is not None, writing.failure) == (True, None)


# --- forgetting -------------------------------------------------------------------------------------------------------
def test_old_records_are_forgotten_and_young_ones_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint, Sum

    monkeypatch.setattr(store, "UPKEEP_INTERVAL_S", 0.05)
    hour_ago = NOW - 3_600_000_000_000

    def batches(name: str, at: int) -> Iterator[Batch]:
        point = NumberDataPoint(time_unix_nano=at, as_int=1)
        point.exemplars.add(time_unix_nano=at, as_int=1)
        yield spans_of(1, first=1 if name == "old" else 2, start_ns=at)
        yield read_logs(logs(LogRecord(time_unix_nano=at, event_name=name)))[0]
        yield read_metrics(metrics(Metric(name=name, sum=Sum(data_points=[point], aggregation_temporality=2, is_monotonic=True))))[0]

    with Store(tmp_path, retention_s=1800) as writing, Queries(tmp_path) as reading:
        for batch in (*batches("old", hour_ago), *batches("young", NOW)):
            writing.submit(batch)
        writing.flush()
        wait_until(lambda: reading.trace("1") is None, 5, "the old span is still there", every=0.02)
        assert reading.trace("2") is not None
        assert [line.event_name for line in reading.logs()] == ["young"]
        assert (reading.series("old_total"), len(reading.series("young_total"))) == ((), 1)
        assert [exemplar.metric for exemplar in reading.exemplars()] == ["young_total"]
        (info,) = reading.series("target_info")  # samples go by whole chunks, and this one has a young sample
        assert info.samples[-1][0] // 1_000_000 == NOW // 1_000_000


def test_without_a_retention_nothing_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "UPKEEP_INTERVAL_S", 0.0)
    with Store(tmp_path, retention_s=None) as writing, Queries(tmp_path) as reading:
        for first, at in ((1, 1), (2, NOW)):
            writing.submit(spans_of(1, first=first, start_ns=at))
            writing.flush()
        assert len(reading.newest_traces()) == 2


def test_a_path_may_be_the_folder_or_the_file(tmp_path: Path):
    with Store(tmp_path / "data" / "otelkit.db") as writing, Queries(tmp_path / "data") as reading:
        assert writing.file == reading.file == tmp_path / "data" / "otelkit.db"


def test_a_reader_can_open_the_database_of_a_stopped_stack(tmp_path: Path):
    with Store(tmp_path) as writing:
        writing.submit(spans_of(3))
    assert not (tmp_path / "otelkit.db-wal").exists()
    with Queries(tmp_path) as reading:
        assert len(reading.newest_traces(limit=2)) == 2
