"""A18: with the kit on, a database answers and fails exactly as without."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from otelkit.request.state import CURRENT
from otelkit.testing import Telemetry, capture
from tests.instrumentation.database.conftest import close
from tests.instrumentation.database.scenario import STEPS, outcomes
from tests.project.models import Item


def test_results_and_exceptions_are_the_same_with_the_kit_on_and_off(alias):
    """A18: every step of the scenario, outside of a trace and inside a request, compared in value, type, text and SQLSTATE."""
    off = outcomes(alias)
    with capture():
        on = outcomes(alias)
    with capture() as telemetry:
        engine = telemetry.runtime.engine
        state = engine.begin(RequestFactory().get("/"))
        engine.enter(state)
        in_a_request = outcomes(alias)
        engine.leave(state)
        engine.end(state, None)
        assert state.queries.count > len(STEPS)
    assert on == off
    assert in_a_request == off
    assert {how for _, how, _ in off} == {"returned", "raised"}
    assert outcomes(alias) == off


def test_async_queries_give_the_same_rows_and_errors(alias):
    """A18, async ORM."""

    async def work() -> list[Any]:
        items = Item.objects.using(alias)
        await items.abulk_create([Item(pk=number, name=f"name {number}") for number in range(1, 6)])
        found = [item.pk async for item in items.order_by("pk").aiterator(chunk_size=2)]
        try:
            await items.acreate(pk=1, name="again")
        except DatabaseError as error:
            failed = type(error), str(error)
        counts = await asyncio.gather(items.acount(), items.filter(pk=1).acount())
        await items.all().adelete()
        await sync_to_async(close)(alias)
        return [found, failed, counts]

    off = asyncio.run(work())
    with capture() as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            assert asyncio.run(work()) == off
        parents = {span["parent_span_id"] for span in telemetry.spans if "db.system.name" in span["attributes"]}
        assert parents == {telemetry.span("work")["span_id"]}


def test_every_alias_says_which_database_it_is(alias, telemetry):
    """A18: two aliases of one name are told apart, in spans by their alias."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        Item.objects.using(alias).count()
    attributes = telemetry.span("SELECT project_item")["attributes"]
    is_sqlite = connections[alias].vendor == "sqlite"
    assert attributes["db.system.name"] == ("sqlite" if is_sqlite else "postgresql")
    named = {"default": "tests.sqlite3", "second": "second.sqlite3", "postgresql": "postgres", "pooled": "pooled"}
    assert attributes["db.namespace"] == named[alias]
    assert attributes.get("django.db.alias") == (None if alias == "default" else alias)
    assert attributes.get("server.address") == (None if is_sqlite else connections[alias].settings_dict["HOST"])
    assert attributes.get("server.port") == (None if is_sqlite else 5432)


def test_transaction_control_is_no_query_of_the_application(alias, telemetry):
    """A18: a block in a block is one query and not four; its SAVEPOINTs are timed, but have no span unless slow or failed."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        state = telemetry.runtime.engine.begin(RequestFactory().get("/"))
        token = CURRENT.set(state)
        with transaction.atomic(using=alias), transaction.atomic(using=alias):
            Item.objects.using(alias).count()
        CURRENT.reset(token)
        telemetry.runtime.engine.end(state, None)
    assert (state.queries.count, state.queries.duplicates) == (1, 0)
    assert [span["name"] for span in telemetry.spans if span["kind"] == "CLIENT"] == ["SELECT project_item"]
    assert telemetry.point("db.client.operation.duration", db_operation_name="SAVEPOINT")["count"] == 1
    assert telemetry.point("db.client.operation.duration", db_operation_name="RELEASE")["count"] == 1


def test_transaction_control_that_fails_has_a_span(alias, telemetry):
    with telemetry.runtime.tracer.start_as_current_span("work"), pytest.raises(DatabaseError), connections[alias].cursor() as cursor:
        cursor.execute("ROLLBACK TO SAVEPOINT never_made")
    assert telemetry.span("ROLLBACK")["status"] == "ERROR"


def test_django_counts_the_queries_it_counted_before(alias):
    """A18: assertNumQueries and connection.queries see what they saw."""

    def count() -> int:
        with CaptureQueriesContext(connections[alias]) as captured:
            outcomes(alias)
        return len(captured)

    off = count()
    with capture():
        assert count() == off


def test_a_broken_connection_fails_and_comes_back_as_before(postgresql_alias, telemetry):
    """A18: the server ends the session; the query fails with the driver's words, and the next connection is recorded again, once."""
    connection = connections[postgresql_alias]
    with telemetry.runtime.tracer.start_as_current_span("work"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        other.close()
        with pytest.raises(OperationalError, match="terminating connection"):
            Item.objects.using(postgresql_alias).count()
        with pytest.raises((OperationalError, InterfaceError)):  # no cursor comes from it any more, so this one is no query
            Item.objects.using(postgresql_alias).count()
        connection.close()
        assert Item.objects.using(postgresql_alias).count() == 0
    found = [span for span in telemetry.spans if span["name"] == "SELECT project_item"]
    assert [span["status"] for span in found] == ["ERROR", "UNSET"]
    assert found[0]["attributes"]["db.response.status_code"] == "57P01"
    assert connection.execute_wrappers.count(connection.execute_wrappers[0]) == len(connection.execute_wrappers) == 1


def test_a_wrapper_of_the_projects_is_taken_off_again_where_the_connection_opens_inside_it(telemetry):
    """Django's execute_wrapper() takes off whichever wrapper stands last; that must not be ours."""
    connection = connections["default"]
    connection.close()
    connection.execute_wrappers.clear()
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        Item.objects.count()
    Item.objects.count()
    assert len(seen) == 1
    assert len(connection.execute_wrappers) == 1
    assert telemetry.point("db.client.operation.duration")["count"] == 2


def test_threads_with_connections_of_their_own_are_recorded_each_in_its_request(alias, telemetry: Telemetry):
    """A18, B7: 6 threads, 20 queries each, counted where they belong."""
    threads, queries = 6 if alias != "pooled" else 3, 20
    together = threading.Barrier(threads)

    def work(number: int) -> tuple[int, int]:
        engine = telemetry.runtime.engine
        state = engine.begin(RequestFactory().get("/"))
        engine.enter(state)
        try:
            together.wait(10)
            for _ in range(queries):
                Item.objects.using(alias).filter(pk=number).count()
        finally:
            engine.leave(state)
            engine.end(state, None)
            close(alias)
        return state.queries.count, state.queries.duplicates

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(work, range(threads))) == [(queries, queries)] * threads
    assert telemetry.point("db.client.operation.duration", db_operation_name="SELECT")["count"] == threads * queries


def test_another_threads_connection_gets_rid_of_a_stopped_kit_at_its_next_query():
    """A26: nobody but its own thread may touch a connection, so each cleans up itself."""
    connection = connections["default"]
    with capture() as telemetry:
        Item.objects.count()
        recorder = connection.execute_wrappers[0]
        del telemetry
    assert recorder not in connection.execute_wrappers
    connection.execute_wrappers.insert(0, recorder)
    assert Item.objects.count() == 0
    assert recorder not in connection.execute_wrappers


def test_a_failure_of_ours_never_reaches_the_query(telemetry, monkeypatch, caplog):
    """B6: the query answers, and the log says so once."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("otelkit.database.recorder.target_of", broken)
    assert [Item.objects.count() for _ in range(3)] == [0, 0, 0]
    assert [record.name for record in caplog.records if "could not record a query" in record.message] == ["otelkit.database"]
