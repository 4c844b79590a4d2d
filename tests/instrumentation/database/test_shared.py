"""What the runs of a statement have in common is made once, and still each run is told from the others."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction

from otelkit.database import queries
from otelkit.database.queries import query_of
from otelkit.database.targets import Target
from otelkit.testing import capture

HERE, THERE = Target("sqlite", "shop", ()), Target("postgresql", "shop", (("server.address", "db.internal"),))


def test_one_statement_on_two_databases_is_two():
    here, there = (query_of("SELECT 1 FROM t", target, has_parameters=True) for target in (HERE, THERE))
    assert (here.attributes["db.system.name"], there.attributes["db.system.name"]) == ("sqlite", "postgresql")
    assert there.attributes["server.address"] == "db.internal"
    assert here.labels == ("sqlite", "shop", "SELECT", "t", None)
    assert query_of("SELECT 1 FROM t", HERE, has_parameters=True) is here


def test_literals_are_not_those_of_the_statement_with_parameters():
    """A19."""
    kept, cleaned = (query_of("SELECT 'hunter2' FROM t", HERE, has_parameters=has) for has in (True, False))
    assert "hunter2" in kept.attributes["db.query.text"]
    assert "hunter2" not in cleaned.attributes["db.query.text"]


def test_names_that_are_made_up_each_time_are_not_remembered():
    before = queries._remembered.cache_info().currsize
    for number in range(5):
        query_of(f'SAVEPOINT "s{number}"', HERE, has_parameters=False)
    assert queries._remembered.cache_info().currsize == before


def test_what_one_run_adds_is_not_on_the_next():
    """A run that fails, or is slow, says so on its own span alone."""
    slowly = {"database": {"slow_query": 0.0}}
    with capture(slowly) as telemetry, telemetry.runtime.tracer.start_as_current_span("work"), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master")
    slow = telemetry.span("SELECT sqlite_master")
    assert "code.line.number" in slow["attributes"]
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("work"):
        for sql in ("SELECT 1 FROM sqlite_master", "SELECT 1 FROM nowhere", "SELECT 1 FROM sqlite_master"):
            with connection.cursor() as cursor, transaction.atomic():
                if "nowhere" in sql:
                    with pytest.raises(OperationalError):
                        cursor.execute(sql)
                    transaction.set_rollback(True)
                else:
                    cursor.execute(sql)
    found = [span for span in telemetry.spans if span["name"].startswith("SELECT")]
    assert [span["attributes"].get("error.type") for span in found] == [None, "OperationalError", None]
    assert [span["status"] for span in found] == ["UNSET", "ERROR", "UNSET"]
    assert not any("code.line.number" in span["attributes"] for span in found)
