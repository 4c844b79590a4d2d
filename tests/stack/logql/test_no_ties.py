"""Of series with equal numbers Loki keeps whichever it met first, so what is compared with it must leave nothing to chance."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import post

_RANKING = re.compile(r"(topk|bottomk)\((\d+), (.+)\)")
WRITTEN = (Path(__file__).parent / "queries.txt").read_text().splitlines()
RANKINGS = [line for line in WRITTEN if "topk" in line or "bottomk" in line]
START_NS = (time.time_ns() // (60 * SECOND_NS) - 2) * 60 * SECOND_NS


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(running.url, logs_of_two_services(START_NS))
        running.flush()
        yield running


@pytest.mark.parametrize("query", RANKINGS)
def test_the_last_series_that_is_kept_and_the_first_that_is_not_differ(stack: RunningStack, query: str) -> None:
    ranking = _RANKING.fullmatch(query)
    assert ranking, "a ranking within a query cannot be looked at here: write it as topk(k, ...) or bottomk(k, ...) alone"
    parameters = {"query": ranking[3], "start": str(START_NS - 60 * SECOND_NS), "end": str(START_NS + 120 * SECOND_NS), "step": "30"}
    found = httpx.get(f"{stack.url}/loki/api/v1/query_range", params=parameters).json()["data"]["result"]
    by_time: dict[int, list[float]] = {}
    for series in found:
        for at, value in series["values"]:
            by_time.setdefault(at, []).append(float(value))
    kept = int(ranking[2])
    ranked = [sorted(values, reverse=ranking[1] == "topk") for values in by_time.values()]
    assert any(len(values) > kept for values in ranked), "there is nothing to leave out"
    assert [values for values in ranked if len(values) > kept and values[kept - 1] == values[kept]] == []


def test_there_are_rankings_from_both_ends() -> None:
    assert {query.partition("(")[0] for query in RANKINGS} == {"topk", "bottomk"}
