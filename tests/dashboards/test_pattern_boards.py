"""The boards of the patterns answer where a pattern is used and where none is: an empty panel is a question, a line "none" is not."""

from __future__ import annotations

from functools import cache

import pytest

from otelkit.catalog.boards import ACCESS, API, RESILIENCE
from otelkit.catalog.metrics import METRICS, TARGET_INFO, Kind, Metric
from otelkit.catalog.naming import bound_text, family_name, label_name, series_name
from otelkit_dashboards import PanelQuery, every_query
from otelkit_dashboards.reading import SERIES, read
from otelkit_stack.promql import Engine, Labels, MemoryStorage, Options, VectorAnswer

CHOICES = {"service": "orders", "environment": "", "route": "/", "__rate_interval": "1m", "__range": "5m"}
QUERIES = [query for query in every_query(CHOICES) if query.board in {ACCESS.uid, API.uid, RESILIENCE.uid}]
PANELS = sorted({(query.board, query.panel) for query in QUERIES})
NOW_MS = 600_000
SERVICE = {"service_name": "orders"}


def series_of(metric: Metric) -> list[tuple[dict[str, str], float]]:
    """One series for each value of the metric's labels that a board may ask for, and how much it grows with a sample."""
    sets: list[dict[str, str]] = [{}]
    for label in metric.labels:
        sets = [{**known, label_name(label): value} for known in sets for value in label.values or ("x",)]
    if metric.kind is Kind.HISTOGRAM:
        bounds = [*map(bound_text, metric.buckets), "+Inf"]
        return [({"__name__": f"{family_name(metric)}_bucket", "le": bound, **labels}, 1.0) for labels in sets for bound in bounds]
    return [({"__name__": series_name(metric), **labels}, 1.0 if metric.kind is Kind.COUNTER else 0.0) for labels in sets]


@cache
def engine(used: bool) -> Engine:
    """The metrics of a service that uses all patterns, or none."""
    metrics = sorted(DRAWN, key=lambda metric: metric.name) if used else [TARGET_INFO]
    storage = MemoryStorage()
    found = [pair for metric in metrics for pair in series_of(metric)]
    storage.append(
        (Labels.of({**labels, **SERVICE}), time, 1 + growth * step)
        for step, time in enumerate(range(0, NOW_MS + 1, 15_000))
        for labels, growth in found
    )
    return Engine(storage, Options())


def answered(asked: Engine, query: PanelQuery) -> int:
    answer = asked.instant(query.expression, NOW_MS).answer
    assert isinstance(answer, VectorAnswer), query
    return len(answer.samples)


DRAWN = {SERIES[selector.series] for query in QUERIES for selector in read(query.expression).selectors}


def test_these_boards_draw_patterns_and_a_sign_of_life():
    assert TARGET_INFO in DRAWN
    assert {metric.name.partition(".")[0] for metric in DRAWN & set(METRICS)} >= {
        "health",
        "circuit_breaker",
        "auth",
        "api",
        "feature_flag",
    }


@pytest.mark.parametrize(("board", "panel"), PANELS)
@pytest.mark.parametrize("used", [True, False], ids=["used", "not used"])
def test_a_panel_answers_by_one_of_its_queries(board: str, panel: str, used: bool):
    """D1."""
    found = {query.query: answered(engine(used), query) for query in QUERIES if (query.board, query.panel) == (board, panel)}
    if "none" in found:
        assert (found["found"] > 0) is used
        assert found["none"] == (0 if used else 1)
    else:
        assert all(found.values())
