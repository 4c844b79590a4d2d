"""The boards and the catalogue agree, both ways."""

from __future__ import annotations

import promql_parser
import pytest

from otelkit.catalog.boards import BOARDS as FACTS
from otelkit.catalog.metrics import METRICS
from otelkit_dashboards import BOARDS, PanelQuery, every_query
from otelkit_dashboards.model import Dashboard
from otelkit_dashboards.panels import Language, Stat
from otelkit_dashboards.reading import SERIES, read

CHOICES = {"route": "/orders/{pk}", "trace_id": "0af7651916cd43dd8448eb211c80319c"}
PROMQL = [query for query in every_query(CHOICES) if query.language is Language.PROMQL]
READ = {selector.series for query in PROMQL for selector in read(query.expression).selectors}


def test_every_board_of_the_catalogue_is_drawn() -> None:
    assert [board.fact for board in BOARDS] == list(FACTS)


@pytest.mark.parametrize("query", PROMQL, ids=lambda query: f"{query.board}/{query.panel}/{query.query}")
def test_every_promql_expression_parses(query: PanelQuery) -> None:
    """D1, by the parser that knows PromQL and none of Grafana's variables."""
    promql_parser.parse(query.expression)


def test_every_metric_of_the_catalogue_is_drawn() -> None:
    """D2."""
    drawn = {SERIES[series] for series in READ & set(SERIES)}

    assert sorted(metric.name for metric in set(METRICS) - drawn) == []


def test_every_metric_drawn_is_in_the_catalogue() -> None:
    """D2, the other way."""
    assert sorted(READ - set(SERIES)) == []


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.fact.uid)
def test_the_top_left_panel_says_whether_all_is_well(board: Dashboard) -> None:
    first = board.rows[0].panels[0]

    assert isinstance(first, Stat)
    assert first.thresholds is not None
    assert not board.rows[0].collapsed


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.fact.uid)
def test_a_panel_of_metrics_always_has_a_query_that_answers(board: Dashboard) -> None:
    """Errors are counted by series that a healthy service lacks; the panel must still say "none", not nothing."""
    panels = [panel for panel in board.panels if panel.language is Language.PROMQL]

    assert [panel.key for panel in panels if panel.may_be_empty] == []
    for panel in panels:
        keys = {query.key for query in panel.queries}
        assert "none" in keys or not all(query.may_be_empty for query in panel.queries), panel.key
