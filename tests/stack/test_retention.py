"""What is forgotten where there is too much: the oldest, of every kind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otelkit_stack.__main__ import main
from otelkit_stack.database import database_file, open_writer
from otelkit_stack.queries import Queries
from otelkit_stack.retention import shrink, used_bytes
from otelkit_stack.store import Store
from otelkit_stack.testing import running_stack
from tests.backends import wait_until
from tests.stack.otlp_requests import any_value, logs, post, span, traces


def test_the_oldest_records_go_where_there_is_too_much(tmp_path: Path):
    """By size as by age: what is deleted is old, of every kind, and what is left fits."""
    minute = 60_000_000_000
    now = time.time_ns()
    with running_stack(tmp_path) as stack:
        for back in range(40):
            at = now - back * minute
            records = [LogRecord(time_unix_nano=at + number, body=any_value("x" * 1000)) for number in range(50)]
            post(stack.url, logs(*records))
            post(stack.url, traces(span(f"{back + 1:016x}", trace_id=f"{back + 1:032x}", start_ns=at)))
        stack.flush()
    connection = open_writer(database_file(tmp_path))
    try:
        before = used_bytes(connection)
        assert [*shrink(connection, before // 2)]
        assert before // 4 < used_bytes(connection) <= before // 2
        left = connection.execute("SELECT min(time_ns), max(time_ns), count(*) FROM log").fetchone()
        oldest_span, newest_span = connection.execute("SELECT min(start_ns), max(start_ns) FROM span").fetchone()
        assert [*shrink(connection, before)] == []
    finally:
        connection.close()
    assert left[1] == now + 49
    assert newest_span == now
    assert left[0] > now - 39 * minute
    assert abs(left[0] - oldest_span) < 2 * minute


def test_a_store_forgets_by_size_by_itself(tmp_path: Path):
    now = time.time_ns()
    with running_stack(tmp_path) as stack:
        for back in (120, 60, 0):
            records = [LogRecord(time_unix_nano=now - back * 1_000_000_000 + number, body=any_value("x" * 2000)) for number in range(500)]
            post(stack.url, logs(*records))
    with Store(tmp_path, retention_s=None, retention_bytes=4_000_000) as store, Queries(tmp_path) as queries:
        # Upkeep comes first, at once, so that a stack that was away makes room before it takes more in.
        wait_until(lambda: len(queries.logs(limit=-1)) <= 1000, 20, "nothing was forgotten")
        assert store.failure is None
        assert max(record.time_ns for record in queries.logs(limit=-1)) == now + 499


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--retention-time", "soon", "'soon' is no length of time from 1m up"),
        ("--retention-time", "5s", "'5s' is no length of time from 1m up"),
        ("--retention-size", "4x", "'4x' is no size from 1MB up"),
        ("--retention-size", "4", "'4' is no size from 1MB up"),
    ],
)
def test_what_is_no_age_or_size_is_said(capsys: pytest.CaptureFixture[str], option: str, value: str, said: str):
    with pytest.raises(SystemExit):
        main([option, value])
    assert said in capsys.readouterr().err
