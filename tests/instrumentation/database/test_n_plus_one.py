"""A17: what runs again and again in one request, how often, and which line runs it."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from otelkit.request.queries import MOST_SHAPES, Queries
from otelkit.testing import capture
from tests.instrumentation.database.conftest import close
from tests.project import views
from tests.project.models import Item

STATEMENT = 'SELECT "project_item"."id", "project_item"."name" FROM "project_item" WHERE "project_item"."id" = %s'


def line_of(view, code: str) -> str:
    """``tests/project/views.py:42`` of the one line of a view that holds this code."""
    lines, first = inspect.getsourcelines(view)
    (number,) = [number for number, line in enumerate(lines, first) if code in line]
    return f"tests/project/views.py:{number}"


def access_line(telemetry) -> dict:
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    return line["attributes"]


def test_n_plus_one_is_reported_alike_everywhere(telemetry):
    """A17: 1 + 50 equal queries are 51 with 50 duplicates; statement and line are on span, metric, log line and in the assertion."""
    Client().get("/queries/50")
    caller = line_of(views.queries, "filter(pk=pk)")
    attributes, line = telemetry.span("GET /queries/{times}")["attributes"], access_line(telemetry)
    for said in (attributes, line):
        assert (said["db.query.count"], said["db.query.duplicates"]) == (51, 50)
        assert (said["db.query.repeated.count"], said["db.query.repeated.caller"]) == (50, caller)
        assert said["db.query.repeated.text"].startswith(STATEMENT)
    assert telemetry.point("django.request.db.queries")["sum"] == 51
    assert telemetry.point("django.request.db.duplicates")["sum"] == 50
    assert telemetry.point("django.request.db.n_plus_one") == {
        "attributes": {
            "http.route": "/queries/{times}",
            "db.query.summary": "SELECT project_item",
            "db.query.repeated.caller": caller,
        },
        "value": 50,
    }
    with pytest.raises(AssertionError) as failed:
        telemetry.assert_no_n_plus_one()
    for word in ("GET /queries/{times} ran one statement 50 times", caller, STATEMENT, "prefetch_related"):
        assert word in str(failed.value)
    telemetry.assert_no_n_plus_one(at_most=50)


def test_a_request_without_repeats_says_nothing_of_them(telemetry):
    """A17, the silent case: two equal queries are duplicates, but no N+1."""
    Client().get("/queries/2")
    attributes = telemetry.span("GET /queries/{times}")["attributes"]
    assert (attributes["db.query.count"], attributes["db.query.duplicates"]) == (3, 2)
    assert not any(key.startswith("db.query.repeated") for key in (*attributes, *access_line(telemetry)))
    assert "django.request.db.n_plus_one" not in telemetry.metrics
    assert not any("code.file.path" in span["attributes"] for span in telemetry.spans)
    telemetry.assert_no_n_plus_one()
    telemetry.assert_no_n_plus_one("GET /queries/{times}")
    with pytest.raises(AssertionError, match="No request GET /nowhere was captured"):
        telemetry.assert_no_n_plus_one("GET /nowhere")


def test_repeated_queries_name_their_line_from_the_threshold_on(telemetry):
    Client().get("/queries/7")
    lines = [span["attributes"].get("code.line.number") for span in telemetry.spans if span["name"] == "SELECT project_item"]
    expected = int(line_of(views.queries, "filter(pk=pk)").rpartition(":")[2])
    assert lines == [None] * 5 + [expected] * 3


def test_the_line_of_an_async_view_is_found_though_its_queries_run_in_another_thread(telemetry):
    """A17, async."""

    async def ask():
        await sync_to_async(close)("default")
        return await AsyncClient().get("/async/queries/8")

    assert asyncio.run(ask()).status_code == 200
    attributes = telemetry.span("GET /async/queries/{times}")["attributes"]
    assert (attributes["db.query.count"], attributes["db.query.duplicates"]) == (9, 8)
    assert attributes["db.query.repeated.caller"] == line_of(views.async_n_plus_one, "filter(pk=pk)")


def test_a_request_that_is_not_sampled_still_names_the_line_in_log_and_metric():
    with capture({"logs": {"exporters": ["otlp"]}, "traces": {"sample_ratio": 0}}) as telemetry:
        Client().get("/queries/9")
        caller = line_of(views.queries, "filter(pk=pk)")
        assert access_line(telemetry)["db.query.repeated.caller"] == caller
        assert telemetry.point("django.request.db.n_plus_one", db_query_repeated_caller=caller)["value"] == 9
        assert telemetry.spans == []


def test_a_slow_query_names_its_line_wherever_it_runs():
    """A17: here every query is slow."""
    with capture({"database": {"slow_query": 0.0}}) as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            Item.objects.count()
        attributes = telemetry.span("SELECT project_item")["attributes"]
        here = inspect.currentframe().f_code
        assert attributes["code.file.path"] == "tests/instrumentation/database/test_n_plus_one.py"
        assert here.co_firstlineno < attributes["code.line.number"] < here.co_firstlineno + 8
        assert attributes["code.function.name"] == "test_a_slow_query_names_its_line_wherever_it_runs"


def in_lists(request):
    for length in range(1, 8):
        list(Item.objects.filter(pk__in=range(length)))
    return HttpResponse("ok")


urlpatterns = [path("lists", in_lists)]


@override_settings(ROOT_URLCONF=__name__)
def test_lists_of_any_length_are_one_statement(telemetry):
    """A17, A19: prefetching batch by batch is an N+1 too."""
    Client().get("/lists")
    attributes = telemetry.span("GET /lists")["attributes"]
    assert (attributes["db.query.count"], attributes["db.query.duplicates"]) == (7, 7)
    assert attributes["db.query.repeated.count"] == 7


def test_the_assertion_counts_queries_in_and_out_of_requests(telemetry):
    with telemetry.assert_queries(exactly=5):
        Client().get("/queries/3")
        Item.objects.count()
    with telemetry.assert_queries(at_most=3):
        Item.objects.count()
    with pytest.raises(AssertionError) as failed, telemetry.assert_queries(at_most=3):
        Client().get("/queries/7")
    assert str(failed.value).startswith("8 queries ran, at most 3 should have:")
    assert f"({line_of(views.queries, 'filter(pk=pk)')})" in str(failed.value)
    with pytest.raises(AssertionError, match="0 queries ran, exactly 1 should have"), telemetry.assert_queries(exactly=1):
        connection.ensure_connection()
    with pytest.raises(TypeError, match="exactly one of"), telemetry.assert_queries():
        pass


def test_a_request_with_endless_statements_keeps_a_bounded_list_of_them():
    queries = Queries()
    for number in range(3 * MOST_SHAPES):
        queries.add(f"SELECT {number}", 0.001)
    queries.add("SELECT 0", 0.001)
    assert (queries.count, queries.duplicates, len(queries._runs)) == (3 * MOST_SHAPES + 1, 2, MOST_SHAPES)
