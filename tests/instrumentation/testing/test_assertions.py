"""What the assertions of otelkit.testing say, above all when they fail."""

from __future__ import annotations

import logging
import re
from unittest.mock import ANY

import pytest
from django.test import Client

from otelkit import metrics
from otelkit.testing import Received, capture, query_budget
from tests.project import views
from tests.project.models import Item

CARTS = metrics.counter("business.tests.carts", unit="{cart}", help="Carts filled.", labels={"channel": ("web", "app")})


def failure_of(assertion, *args, **kwargs) -> str:
    with pytest.raises(AssertionError) as failed:
        assertion(*args, **kwargs)
    return str(failed.value)


def test_a_span_is_found_by_name_attributes_kind_status_and_parent(telemetry):
    Client(raise_request_exception=False).get("/queries/1")
    request = telemetry.assert_span("GET /queries/{times}", {"http.response.status_code": 200, "error.type": None}, kind="SERVER")
    query = telemetry.assert_span(re.compile("^SELECT"), {"db.query.text": re.compile("count", re.IGNORECASE)}, parent=request["name"])
    assert query["parent_span_id"] == request["span_id"]
    assert telemetry.assert_span("SELECT project_item", {"db.system.name": ANY}, status="UNSET", times=2)["kind"] == "CLIENT"


def test_a_span_that_is_not_there_shows_the_nearest(telemetry):
    """Which attribute differs is what the reader wants to know first."""
    Client().get("/items/7")
    Client().get("/queries/3")
    said = failure_of(telemetry.assert_span, "GET /items/{pk}", {"http.response.status_code": 404, "shop.cart": 1})
    assert said.splitlines()[:3] == [
        "0 spans are 'GET /items/{pk}' with http.response.status_code=404, shop.cart=1; there should be 1.",
        "Nearest:",
        "  'GET /items/{pk}': http.response.status_code=200, not 404; no shop.cart",
    ]
    assert "  'SELECT project_item'  (4 times)" in failure_of(telemetry.assert_span, "SELECT project_items").splitlines()
    assert failure_of(telemetry.assert_span, re.compile("SELECT")).startswith("4 spans are /SELECT/; there should be 1.")


def test_what_is_left_over_is_named_too(telemetry):
    for number in range(8):
        with telemetry.runtime.tracer.start_as_current_span(f"step {number}"):
            pass
    said = failure_of(telemetry.assert_span, "step 9").splitlines()
    assert said[1] == "Nearest:"
    assert said[7] == "Others:"
    assert len(said) == 11


def test_where_nothing_was_captured_the_failure_says_what_to_look_at(telemetry):
    assert failure_of(telemetry.assert_span, "GET /").startswith("No span was captured at all. Was the request made inside of capture()")
    for assertion in (telemetry.assert_no_n_plus_one, lambda: telemetry.assert_query_budget(1)):
        assert "No request was captured" in failure_of(assertion)
    with pytest.raises(AssertionError, match="Nothing was captured at all"):
        Received(()).assert_no_secrets("hunter2")


def test_a_metric_is_found_by_labels_and_value(telemetry):
    CARTS.add(2, channel="app")
    Client().get("/items/7")
    assert telemetry.assert_metric("business.tests.carts", {"channel": "app"}, value=2)["value"] == 2
    telemetry.assert_metric("http.server.request.duration", {"http.route": "/items/{pk}"}, count=1)
    telemetry.assert_metric("business.tests.carts", times=3)  # a closed label has _OTHER beside its values
    said = failure_of(telemetry.assert_metric, "business.tests.carts", {"channel": "app"}, value=3).splitlines()
    assert "  'business.tests.carts': value=2.0, not 3" in said
    assert "  'business.tests.carts': channel='web', not 'app'; value=0.0, not 3" in said
    assert "  'http.server.request.duration'" in failure_of(telemetry.assert_metric, "http_server_request_duration")


def test_a_log_line_is_found_by_message_keys_and_level_wherever_the_settings_send_it(telemetry):
    """The test runner's own handlers do not hide it, nor does the root logger's level."""
    Client().get("/logs")
    line = telemetry.assert_log("from structlog", {"road": "structlog"}, level="info")
    request = telemetry.assert_span("GET /logs")
    assert (line["trace_id"], line["span_id"]) == (request["trace_id"], request["span_id"])
    telemetry.assert_log("GET /logs 200", {"event.name": "http.request", "http.route": "/logs"})
    said = failure_of(telemetry.assert_log, "from stdlib", {"road": "structlog"}, level="error").splitlines()
    assert "  'from stdlib': road='stdlib', not 'structlog'; level='info', not 'error'" in said


def test_loggers_are_as_before_at_the_end():
    logger = logging.getLogger("tests.deaf")
    logger.propagate = False
    try:
        before = (logging.getLogger().level, list(logging.getLogger().handlers), list(logger.handlers))
        with capture() as telemetry:
            logger.warning("heard")
            telemetry.assert_log("heard")
        assert (logging.getLogger().level, list(logging.getLogger().handlers), list(logger.handlers)) == before
    finally:
        logger.propagate = True


def test_a_query_budget_names_the_request_its_statements_and_their_line(telemetry):
    """A17: the budget is per request, so what a test does beside its requests does not count."""
    list(Item.objects.all())
    Client().get("/queries/2")
    telemetry.assert_query_budget(3)
    with telemetry.query_budget(3):
        Client().get("/queries/1")
    Client().get("/queries/9")
    said = failure_of(telemetry.assert_query_budget, 3)
    assert said.splitlines()[0] == "GET /queries/{times} ran 10 queries, its budget is 3:"
    assert "tests/project/views.py:" in said
    with pytest.raises(AssertionError, match=r"No request GET /items/\{pk\} was captured"):
        telemetry.assert_query_budget(3, "GET /items/{pk}")


def test_a_query_budget_needs_nothing_around_it():
    with query_budget(3) as telemetry:
        Client().get("/queries/2")
    assert telemetry.span("GET /queries/{times}")["attributes"]["db.query.count"] == 3
    with pytest.raises(AssertionError, match="ran 5 queries, its budget is 3"), query_budget(3):
        Client().get("/queries/4")


def test_the_spans_can_be_read_as_a_tree(telemetry):
    with pytest.raises(views.Boom):
        Client().get("/boom")
    Client().get("/queries/1")
    rows = [re.sub(r"\d+\.\d ms", "_ ms", row) for row in telemetry.tree().splitlines()]
    assert rows == [
        "GET /boom  500  ERROR  _ ms",
        "GET /queries/{times}  200  _ ms",
        "  SELECT project_item  _ ms",
        "  SELECT project_item  _ ms",
    ]
