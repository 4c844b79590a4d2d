"""The same series and the same queries give the same answers in a real Prometheus and in our engine."""

from __future__ import annotations

import json
import math
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from otelkit_stack.promql.answers import failure, success
from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import QueryError
from tests.backends import Prometheus, program, running_prometheus
from tests.stack.promql import random_queries, random_series
from tests.stack.promql.random_queries import Question
from tests.stack.promql.wrong_queries import WRONG

pytestmark = pytest.mark.backends

SEED = 20261127
_DUPLICATE = re.compile(r"found duplicate series for the match group .* on the (?=left|right)|: \[.*\];")
_COUNTED = re.compile(r"over \d+ samples")
"""How many repaired histograms there were: Prometheus 3.14 doubles the number at each step."""
QUESTIONS = 500


@pytest.fixture(scope="module")
def series() -> dict[Any, random_series.Samples]:
    return random_series.made_up(SEED)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, series: dict[Any, random_series.Samples]) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    text = folder / "series.txt"
    random_series.write_open_metrics(series, text)
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "prometheus")]
    subprocess.run(command, check=True, capture_output=True)
    with running_prometheus(folder, evaluation_interval="1m", options=["--storage.tsdb.retention.time=100y"]) as running:
        yield running


def asked(prometheus: Prometheus, question: Question) -> dict[str, Any]:
    """Prometheus' answer."""
    parameters = {"query": question.query}
    if question.step_ms:
        times = {"start": question.start_ms, "end": question.end_ms, "step": question.step_ms}
        parameters |= {name: f"{time / 1000:.3f}" for name, time in times.items()}
    else:
        parameters["time"] = f"{question.start_ms / 1000:.3f}"
    url = f"{prometheus.url}/api/v1/{'query_range' if question.step_ms else 'query'}"
    try:
        with urllib.request.urlopen(url, data=urllib.parse.urlencode(parameters).encode(), timeout=60) as answer:
            body: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = json.load(error)
    return body


def answered(engine: Engine, question: Question) -> dict[str, Any]:
    """Ours, as it would arrive over HTTP."""
    try:
        if question.step_ms:
            result = engine.range(question.query, question.start_ms, question.end_ms, question.step_ms)
        else:
            result = engine.instant(question.query, question.start_ms)
    except QueryError as error:
        return failure(error)
    body: dict[str, Any] = json.loads(json.dumps(success(result)))
    return body


def difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """How the second answer differs from the first; ``""`` where it does not."""
    if theirs["status"] != ours["status"]:
        return f"{theirs.get('error', 'they answer')} | {ours.get('error', 'we answer')}"
    if theirs["status"] == "error":
        same = theirs["errorType"] == ours["errorType"] and _comparable(theirs["error"]) == _comparable(ours["error"])
        return "" if same else f"{theirs['errorType']}: {theirs['error']} | {ours['errorType']}: {ours['error']}"
    for kind in ("warnings", "infos"):
        said, we_said = ([_COUNTED.sub("over some samples", text) for text in sorted(body.get(kind, []))] for body in (theirs, ours))
        # Which ten of many are said is random too.
        is_cut = any("omitted" in text for text in said)
        if len(said) != len(we_said) or not (is_cut or all(map(_same_annotation, said, we_said))):
            return f"{kind}: {said} | {we_said}"
    return _data_difference(theirs["data"], ours["data"])


def _same_annotation(theirs: str, ours: str) -> bool:
    # About a subquery's samples Prometheus says (1:1), wherever in the query it stands.
    return theirs == ours or (theirs.endswith(" (1:1)") and theirs.removesuffix(" (1:1)") == ours.rpartition(" (")[0])


def _comparable(error: str) -> str:
    # Of several duplicates Prometheus names the one that it meets first, and behind most functions its order is random.
    return _DUPLICATE.sub("found duplicate series", error)


def _data_difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    if theirs["resultType"] != ours["resultType"]:
        return f"{theirs['resultType']} | {ours['resultType']}"
    if theirs["resultType"] in ("scalar", "string"):
        return "" if _same_point(theirs["result"], ours["result"]) else f"{theirs['result']} | {ours['result']}"
    expected, given = (
        {tuple(sorted(one["metric"].items())): one.get("values", [one.get("value")]) for one in data["result"]} for data in (theirs, ours)
    )
    if expected.keys() != given.keys():
        return f"series only there: {expected.keys() - given.keys()}, only here: {given.keys() - expected.keys()}"
    for labels, points in expected.items():
        if len(points) != len(given[labels]):
            return f"{labels}: {len(points)} points there, {len(given[labels])} here"
        for point, our_point in zip(points, given[labels], strict=True):
            if not _same_point(point, our_point):
                return f"{labels}: {point} | {our_point}"
    return ""


def _same_point(first: list[Any], second: list[Any]) -> bool:
    if first[0] != second[0]:
        return False
    if first[1] == second[1]:
        return True
    try:
        value, our_value = float(first[1]), float(second[1])
    except ValueError:
        return False
    # What is left of two equal numbers that rounded differently is nothing but rounding.
    return math.isclose(value, our_value, rel_tol=1e-9, abs_tol=1e-12)


def test_500_made_up_queries_are_answered_alike(prometheus: Prometheus, series: dict[Any, random_series.Samples]) -> None:
    """Values within 1e-9, the same series, times, warnings, infos, and the same errors in the same words."""
    engine = Engine(random_series.in_memory(series))
    differing, empty, failed = [], 0, 0
    questions = random_queries.made_up(SEED, QUESTIONS)
    for question in questions:
        theirs, ours = asked(prometheus, question), answered(engine, question)
        found = difference(theirs, ours)
        if found:
            differing.append(f"{question}\n      {found}"[:1200])
        failed += theirs["status"] == "error"
        empty += theirs["status"] == "success" and theirs["data"]["result"] == []
    assert not differing, f"{len(differing)} of {len(questions)} differ:\n" + "\n".join(differing)
    assert failed < QUESTIONS * 0.2, "too many of the queries fail, so they compare too little"
    assert empty < QUESTIONS * 0.35, "too many of the answers are empty, so they compare too little"


@pytest.mark.parametrize("query", WRONG)
def test_what_is_wrong_with_a_query_is_said_in_the_same_words(prometheus: Prometheus, query: str) -> None:
    question = Question(query, random_series.START, random_series.START, 0)
    theirs, ours = asked(prometheus, question), answered(Engine(random_series.in_memory({})), question)
    assert ours["status"] == "error"
    assert ours == theirs
