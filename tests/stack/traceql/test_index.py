"""The store finds what it can by its indexes: how SQLite says it would answer each kind of query."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from otelkit_stack import schema
from otelkit_stack.queries import Queries
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.columns import COLUMNS, columns_for
from otelkit_stack.traceql.parsing import parse, parse_attribute
from otelkit_stack.traceql.pushdown import narrowed, needed
from otelkit_stack.traceql.reading import FOUND, STARTED, Source


def plan(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> str:
    return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))


def plan_of(connection: sqlite3.Connection, query: str, *, statement: str = FOUND) -> str:
    body = parse(query).body
    pipeline = body if isinstance(body, s.Pipeline) else getattr(body, "pipeline", s.Pipeline(()))
    condition = needed(pipeline)
    where = narrowed(condition, Source(connection).owners)
    columns = ", ".join(columns_for(s.attributes_of(body)))
    return plan(connection, statement.format(columns=columns, where=where.sql), (0, 10, *where.values))


@pytest.mark.parametrize(
    "query",
    [
        "{ }",
        "{ status = error }",
        "{ duration > 1s && kind = server }",
        '{ name = "POST /orders" }',
        '{ name =~ "POST.*" }',
        '{ resource.service.name = "orders" && status = error }',
        '{ resource.service.name = "orders" } >> { duration > 300ms }',
        "{ kind = server } | count() > 4",
        "{ nestedSetParent < 0 && status = error }",
        '{ rootServiceName = "gateway" }',
        '{ kind = server && rootName = "POST /checkout" }',
    ],
)
def test_what_is_asked_most_is_told_by_the_index_alone_newest_first(shop_connection: sqlite3.Connection, query: str):
    """No look-up for each span, and no sorting, so that the newest fifty of a million are there at once."""
    found = plan_of(shop_connection, query)
    assert found.startswith("SEARCH span USING COVERING INDEX span_start (start_ns>? AND start_ns<?)")
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize("query", ['{ span.http.route = "/orders" }', "{ .anything = 1 }", '{ event:name = "exception" }'])
def test_what_only_the_span_can_tell_is_still_read_newest_first(shop_connection: sqlite3.Connection, query: str):
    found = plan_of(shop_connection, query)
    assert "USING INDEX span_start (start_ns>? AND start_ns<?)" in found
    assert "TEMP B-TREE FOR ORDER BY" not in found


def test_a_trace_is_found_by_its_id(shop_connection: sqlite3.Connection):
    assert "USING INDEX span_identity (trace_id=?)" in plan_of(shop_connection, f'{{ trace:id = "{"b" * 32}" }}')


def test_numbers_over_time_of_a_service_are_told_by_the_index_alone(shop_connection: sqlite3.Connection):
    query = '{ resource.service.name = "orders" && kind = server } | quantile_over_time(duration, 0.95) by (name, status)'
    assert "USING COVERING INDEX span_start" in plan_of(shop_connection, query, statement=STARTED)


def test_the_newest_traces_of_the_page_are_told_by_the_index_alone(shop_file: Path):
    with Queries(shop_file) as queries:
        found = plan(queries._connection, "SELECT trace_id FROM span ORDER BY start_ns DESC", ())
        assert found == "SCAN span USING COVERING INDEX span_start"
        waterfall = plan(queries._connection, "SELECT * FROM span WHERE trace_id = ? ORDER BY start_ns, span_id", (b"",))
        assert "SEARCH span USING INDEX span_identity (trace_id=?)" in waterfall


def test_columns_that_nobody_asks_for_are_blank():
    blank = dict(zip(COLUMNS, columns_for([parse_attribute("name"), parse_attribute("resource.service.name")]), strict=True))
    assert {column for column, read in blank.items() if column == read} == {
        "trace_id", "resource_id", "name", "kind", "start_ns", "duration_ns", "status",
    }  # fmt: skip
    everything = columns_for([parse_attribute(".x"), parse_attribute("statusMessage"), parse_attribute("span:id")])
    assert set(COLUMNS) - set(everything) == {"parent_span_id", "service"}


def test_an_older_database_gets_the_index(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    newest = schema.STEPS.index(schema._SPANS_BY_TIME)
    for step in schema.STEPS[:newest]:
        if isinstance(step, str):
            connection.executescript(step)
        else:
            step(connection)
    connection.execute(f"PRAGMA user_version = {newest}")
    assert [row[2] for row in connection.execute("PRAGMA index_info(span_start)")] == ["start_ns", "trace_id"]
    schema.upgrade(connection)
    columns = [row[2] for row in connection.execute("PRAGMA index_info(span_start)")]
    assert columns == ["start_ns", "trace_id", "resource_id", "kind", "status", "duration_ns", "name", "parent_span_id"]
    connection.close()
