"""Queries: a span each, a duration each, and the counts that show N+1."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client

from otelkit import startup
from otelkit.database import parse_statement
from otelkit.testing import capture
from tests.project.models import Item


def close_connection() -> None:
    """Closes the connection of the thread that calls it."""
    connection.close()


def test_a_query_is_a_client_span_below_the_request(telemetry):
    Client().get("/queries/0")
    server, query = telemetry.span("GET /queries/{times}"), telemetry.span("SELECT project_item")
    assert (query["kind"], query["parent_span_id"], query["trace_id"]) == ("CLIENT", server["span_id"], server["trace_id"])
    assert query["attributes"]["db.system.name"] == "sqlite"
    assert query["attributes"]["db.namespace"] == "tests.sqlite3"
    assert query["attributes"]["db.operation.name"] == "SELECT"
    assert query["attributes"]["db.collection.name"] == "project_item"
    assert telemetry.point("db.client.operation.duration")["exemplars"][0]["trace_id"] == server["trace_id"]


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
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("7", "QUERY"),
        ('SELECT EXTRACT(YEAR FROM "a"."b") FROM "shop order"', "SELECT shop order"),
        ("SELECT a IS DISTINCT FROM b FROM c", "SELECT c"),
        ("TRUNCATE TABLE a, b", "TRUNCATE a"),
        ("COPY public.t (a) FROM STDIN", "COPY public.t"),
    ],
)
def test_statements_are_summed_up_by_operation_and_table(sql, summary):
    assert parse_statement(sql, has_parameters=True).summary == summary
