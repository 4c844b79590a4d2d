"""A small board without faults, and a way to plant one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otelkit.catalog.boards import SERVICE_OVERVIEW
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.promql import Expr, rate
from otelkit_dashboards.boards.choices import CHOSEN, ENVIRONMENT, SERVICE
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Panel, Query, TimeSeries, Unit

PANEL = TimeSeries(
    key="requests",
    title="Requests",
    help="Requests a second.",
    act="Look at the proxy when they stop.",
    missing="No requests in this time range.",
    unit=Unit.REQUESTS_PER_SECOND,
    queries=(Query(rate(HTTP_SERVER_REQUEST_DURATION, where=CHOSEN)),),
)

BOARD = Dashboard(fact=SERVICE_OVERVIEW, variables=(ENVIRONMENT, SERVICE), rows=(Row("row", "Row", (PANEL,)),))


def board_with(*panels: Panel) -> Dashboard:
    """The board with the good panel, so that its variables are used, and these."""
    return replace(BOARD, rows=(Row("row", "Row", (PANEL, *panels)),))


def panel(**changes: Any) -> Panel:
    """The good panel under another key, with these changes."""
    return replace(PANEL, key="planted", **changes)


def asks(promql: str, *, instant: bool = False) -> Panel:
    """A panel that asks this."""
    return panel(queries=(Query(Expr(promql), instant=instant),))
