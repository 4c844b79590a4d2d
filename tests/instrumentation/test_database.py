"""Queries: a span each, a duration each, and the counts that show N+1."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client

from otelkit import database, startup
from otelkit.database import _parse_remembered, parse_statement
from otelkit.testing import Telemetry, capture
from tests.project.models import Item


def close_connection() -> None:
    """Closes the connection of the thread that calls it."""
    connection.close()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        yield telemetry


def test_a_query_is_a_client_span_below_the_request(telemetry):
    Client().get("/queries/0")
    server, query = telemetry.span("GET /queries/{times}"), telemetry.span("SELECT project_item")
    assert (query["kind"], query["parent_span_id"], query["trace_id"]) == ("CLIENT", server["span_id"], server["trace_id"])
    assert query["attributes"]["db.system.name"] == "sqlite"
    assert query["attributes"]["db.namespace"] == "tests.sqlite3"
    assert query["attributes"]["db.operation.name"] == "SELECT"
    assert query["attributes"]["db.collection.name"] == "project_item"
    assert telemetry.point("db.client.operation.duration")["exemplars"][0]["trace_id"] == server["trace_id"]


def test_n_plus_one_is_counted_alike_everywhere(telemetry):
    """A17 for span, metric and log line: 1 + 50 queries are 51, of which 49 repeat one statement."""
    Client().get("/queries/50")
    attributes = telemetry.span("GET /queries/{times}")["attributes"]
    assert (attributes["db.query.count"], attributes["db.query.duplicates"]) == (51, 49)
    assert telemetry.point("django.request.db.queries")["sum"] == 51
    assert telemetry.point("django.request.db.duplicates")["sum"] == 49
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    assert (line["attributes"]["db.query.count"], line["attributes"]["db.query.duplicates"]) == (51, 49)


def test_parameters_are_never_recorded(telemetry):
    """A19."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        list(Item.objects.filter(name="hunter2"))
    text = telemetry.span("SELECT project_item")["attributes"]["db.query.text"]
    assert "hunter2" not in text
    assert text.endswith('"project_item"."name" = %s')


def test_literal_sql_loses_its_literals(telemetry):
    """A19, C1: SQL literal."""
    Client().get("/literal")
    text = telemetry.span("SELECT project_item")["attributes"]["db.query.text"]
    assert text == "SELECT name FROM project_item WHERE name = ? AND id = ?"


def test_async_queries_belong_to_their_request(telemetry):
    async def ask():
        await sync_to_async(close_connection)()  # the ORM's own thread may have one from before the kit ran
        return await AsyncClient().get("/async/queries")

    asyncio.run(ask())
    assert telemetry.span("SELECT project_item")["parent_span_id"] == telemetry.span("GET /async/queries")["span_id"]
    assert telemetry.span("GET /async/queries")["attributes"]["db.query.count"] == 1


def test_a_query_outside_of_a_trace_is_counted_but_begins_none(telemetry):
    Item.objects.count()
    assert telemetry.spans == []
    assert telemetry.point("db.client.operation.duration")["count"] == 1


def test_a_failing_query_raises_what_it_raised_before(telemetry):
    """A18."""
    from django.db import OperationalError

    with (
        telemetry.runtime.tracer.start_as_current_span("work"),
        pytest.raises(OperationalError, match="no such table"),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 FROM nowhere WHERE x = %s", [1])
    query = telemetry.span("SELECT nowhere")
    assert (query["status"], query["attributes"]["error.type"]) == ("ERROR", "OperationalError")


def test_executemany_and_iterator_give_the_same_rows(telemetry):
    """A18."""
    with telemetry.runtime.tracer.start_as_current_span("work"), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO project_item (name) VALUES (%s)", [["many-a"], ["many-b"]])
    try:
        assert [item.name for item in Item.objects.filter(name__startswith="many-").order_by("name").iterator()] == ["many-a", "many-b"]
    finally:
        Item.objects.filter(name__startswith="many-").delete()
    assert telemetry.span("INSERT project_item")


def test_stop_takes_the_wrapper_off():
    """A26."""
    connection.ensure_connection()
    before = list(connection.execute_wrappers)
    with capture():
        assert len(connection.execute_wrappers) == len(before) + 1
        startup.start()
        assert len(connection.execute_wrappers) == len(before) + 1
    assert connection.execute_wrappers == before


@pytest.mark.parametrize(
    ("sql", "summary"),
    [
        ('SELECT "a"."id" FROM "shop_order" "a" WHERE x = %s', "SELECT shop_order"),
        ("select * from `items`", "SELECT items"),
        ("INSERT INTO public.items (a) VALUES (%s)", "INSERT public.items"),
        ("UPDATE items SET a = %s", "UPDATE items"),
        ("DELETE FROM items", "DELETE items"),
        ("/* hint */ SELECT 1", "SELECT"),
        ("-- note\nSELECT 1", "SELECT"),
        ("SAVEPOINT s1", "SAVEPOINT"),
        ("CREATE TABLE IF NOT EXISTS items (a int)", "CREATE items"),
        ("", "QUERY"),
        ("(SELECT 1) UNION (SELECT 2)", "QUERY"),
    ],
)
def test_statements_are_summed_up_by_operation_and_table(sql, summary):
    assert parse_statement(sql, has_parameters=True).summary == summary


def test_literals_are_taken_out_however_the_statement_is_given():
    """A19, C1: bytes and psycopg's composed statements hold values in their text, parameters or not."""
    sql = pytest.importorskip("psycopg.sql", reason="psycopg is not installed")
    composed = sql.SQL("SELECT name FROM {} WHERE name = {} AND id = %s").format(sql.Identifier("shop", "items"), sql.Literal("hunter2"))
    given = {
        "text": "SELECT name FROM items WHERE name = 'hunter2'",
        "bytes": b"SELECT name FROM items WHERE name = 'hunter2'",
        "composed": composed,
    }
    for kind, statement in given.items():
        parsed = parse_statement(statement, has_parameters=kind == "composed")
        assert parsed.operation == "SELECT", kind
        assert parsed.table == ("shop.items" if kind == "composed" else "items")
        assert "hunter2" not in parsed.text, kind


def test_statements_of_many_lengths_do_not_fill_the_memory(telemetry):
    """Each length of an IN list is a statement of its own, and a savepoint has a new name each time: what is remembered stays small."""
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(300):
            parse_statement(f"SELECT * FROM items WHERE id IN ({', '.join(['%s'] * (5_000 + number))})", has_parameters=True)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 1_000_000
    remembered = _parse_remembered.cache_info().currsize
    for number in range(50):
        assert parse_statement(f'SAVEPOINT "s140_x{number}"', has_parameters=False).summary == "SAVEPOINT"
        assert parse_statement(f'RELEASE SAVEPOINT "s140_x{number}"', has_parameters=False).summary == "RELEASE"
    assert _parse_remembered.cache_info().currsize == remembered


@pytest.mark.parametrize("part", ["parse_statement", "database_name"])
def test_a_failure_of_ours_does_not_reach_the_query(telemetry, monkeypatch, caplog, part):
    """B6."""
    monkeypatch.setattr(database, part, lambda *_, **__: 1 / 0)
    with telemetry.runtime.tracer.start_as_current_span("work"):
        assert Item.objects.filter(name="nobody has this name").count() == 0
    assert "its result is not affected" in caplog.text or "the query itself is not affected" in caplog.text
