"""A board that would point nowhere cannot be written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otelkit.catalog.boards import ENDPOINT, SERVICE_OVERVIEW, BoardFact
from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.catalog.logql import LogExpr
from otelkit.catalog.promql import Expr
from otelkit_dashboards.boards.choices import ENVIRONMENT, SERVICE
from otelkit_dashboards.boards.endpoint import ROUTE
from otelkit_dashboards.layout import place, stable_id
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Query, to
from tests.dashboards.faults import BOARD, PANEL, panel


def test_a_link_to_an_unknown_board_names_the_known_ones() -> None:
    stranger = BoardFact("otelkit-gone", "Gone", "", ("service",))

    with pytest.raises(ValueError, match='No board has the uid "otelkit-gone"; there are otelkit-service-overview, '):
        to(stranger, "Open")


def test_a_link_that_sets_an_unknown_variable_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match='"otelkit-endpoint" has no variable "rout"; it has environment, service, route, trace_id'):
        to(ENDPOINT, "Open", rout=HTTP_ROUTE)


def test_a_board_has_the_variables_that_the_catalogue_says() -> None:
    """Alerts set them in their links, so the two must agree."""
    with pytest.raises(ValueError, match=r"has the variables \('service',\); the catalogue says \('environment', 'service'\)"):
        Dashboard(fact=SERVICE_OVERVIEW, variables=(SERVICE,), rows=())


def test_two_panels_of_one_key_are_refused() -> None:
    """They would share an id, and one of them every link to the other."""
    with pytest.raises(ValueError, match="more than one panel or row with the key requests"):
        replace(BOARD, rows=(Row("row", "Row", (PANEL, PANEL)),))


def test_two_queries_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match='Panel "planted" has two queries of one key: A, A'):
        panel(queries=(Query(Expr("1")), Query(Expr("2"))))


def test_a_panel_reads_one_data_source() -> None:
    mixed = panel(queries=(Query(Expr("1")), Query(LogExpr("{}"), key="B")))

    with pytest.raises(ValueError, match='Panel "planted" mixes query languages'):
        _ = mixed.language


def test_a_choice_of_several_values_is_matched_as_a_pattern_and_a_single_one_exactly() -> None:
    assert str(SERVICE.chosen) == 'service_name=~"$service"'
    assert str(ROUTE.chosen) == 'http_route="$route"'


def test_all_environments_include_the_one_without_a_name() -> None:
    assert (ENVIRONMENT.everything, SERVICE.everything) == (".*", ".+")


def test_panels_flow_left_to_right_and_wrap_below_the_tallest() -> None:
    wide, tall = replace(PANEL, key="wide", width=16, height=4), replace(PANEL, key="tall", width=8, height=10)
    board = replace(BOARD, rows=(Row("row", "Row", (wide, tall, PANEL)),))

    (row,) = place(board)
    assert [(spot.x, spot.y) for _, spot in row.panels] == [(0, 1), (16, 1), (0, 11)]


def test_a_collapsed_row_takes_one_line() -> None:
    board = replace(BOARD, rows=(Row("first", "First", (PANEL,), collapsed=True), Row("second", "Second", ())))

    assert [row.heading.y for row in place(board)] == [0, 1]


def test_ids_come_from_keys_and_differ_between_boards() -> None:
    assert stable_id("otelkit-endpoint", "p95") == stable_id("otelkit-endpoint", "p95")
    assert stable_id("otelkit-endpoint", "p95") != stable_id("otelkit-service-overview", "p95")
    assert 0 < stable_id("", "") < 2**31
