"""Every question that the boards ask, ready to be evaluated."""

from __future__ import annotations

import pytest

from otelkit_dashboards import BOARDS, every_query
from otelkit_dashboards.panels import Language
from otelkit_dashboards.variables import fill, variables_in

CHOICES = {"route": "/orders/{pk}"}


def test_every_query_of_every_panel_is_there_once() -> None:
    found = [(query.board, query.panel, query.query) for query in every_query(CHOICES)]

    assert found == [(board.fact.uid, panel.key, query.key) for board in BOARDS for panel in board.panels for query in panel.queries]
    assert len(set(found)) == len(found)


def test_no_variable_is_left() -> None:
    assert [query for query in every_query(CHOICES) if "$" in query.expression] == []


def test_values_and_windows_are_filled_in() -> None:
    chosen = {**CHOICES, "service": "orders", "__rate_interval": "30s"}
    filled = {(query.board, query.panel, query.query): query for query in every_query(chosen)}

    rate = filled["otelkit-endpoint", "request-rate", "A"]
    assert rate.expression == (
        'sum(rate(http_server_request_duration_seconds_count{service_name=~"orders", deployment_environment_name=~".*", '
        'http_route="/orders/{pk}"}[30s]))'
    )
    logs = filled["otelkit-endpoint", "logs", "A"]
    assert logs.language is Language.LOGQL
    assert logs.expression == '{service_name=~"orders", deployment_environment_name=~".*"} | http_route="/orders/{pk}"'
    traces = filled["otelkit-endpoint", "slowest-traces", "A"]
    assert traces.language is Language.TRACEQL
    assert traces.expression == (
        '{ resource.service.name=~"orders" && resource.deployment.environment.name=~".*" && span.http.route="/orders/{pk}" && kind=server }'
    )


def test_what_may_be_empty_says_why() -> None:
    others = [query for query in every_query(CHOICES) if query.language is not Language.PROMQL]
    empty = {query.panel: query.may_be_empty for query in others if query.may_be_empty}

    assert empty["error-logs"] == "a healthy service writes no error lines"
    assert "log-volume" not in empty


def test_a_choice_that_has_no_all_must_be_given() -> None:
    with pytest.raises(ValueError, match='Give a value for the variable "route"'):
        list(every_query({}))


def test_a_misspelled_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="No board has the variable rout; there are "):
        list(every_query({"rout": "/"}))


def test_both_spellings_of_a_variable_are_known() -> None:
    assert variables_in("$service ${route} $__rate_interval") == {"service", "route", "__rate_interval"}
    assert fill("$service ${service}", {"service": "a"}) == "a a"
