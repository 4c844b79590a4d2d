"""The tree of a query is the one that Prometheus gives to editors."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from otelkit_stack.promql.described import described
from otelkit_stack.promql.errors import BadParameterError, ParseError
from otelkit_stack.promql.grammar import parse
from tests.backends import Prometheus, running_prometheus
from tests.stack.promql import random_queries

_EXTENDED = {"anchored": False, "smoothed": False}
_HERE_AND_NOW = {"offset": 0, "offsetExpr": None, "timestamp": None, "startOrEnd": None}
_NAME = {"name": "__name__", "type": "="}
A, B = ({"type": "vectorSelector", "name": name, "matchers": [{**_NAME, "value": name}], **_HERE_AND_NOW, **_EXTENDED} for name in "ab")
_FILL = {"fillValues": {"lhs": None, "rhs": None}}
CASES: dict[str, dict[str, Any]] = {
    "a": A,
    "a offset -1m": A | {"offset": -60_000},
    "a @ 1.5": A | {"timestamp": 1500},
    "a @ start()": A | {"startOrEnd": "start"},
    '{__name__="a"}': A | {"name": ""},
    "a[5m] offset 1m": A | {"type": "matrixSelector", "offset": 60_000, "range": 300_000, "rangeExpr": None},
    "a[1h:5m] @ end()": {
        "type": "subquery", "expr": A, "range": 3_600_000, "rangeExpr": None, "step": 300_000, "stepExpr": None,
        **_HERE_AND_NOW, "startOrEnd": "end",
    },
    "-a": {"type": "unaryExpr", "op": "-", "expr": A},
    "(a)": {"type": "parenExpr", "expr": A},
    '"x"': {"type": "stringLiteral", "val": "x"},
    "-Inf": {"type": "numberLiteral", "val": "-Inf"},
    "1.50": {"type": "numberLiteral", "val": "1.5"},
    "1h": {"type": "numberLiteral", "val": "3600"},
    "round(a)": {
        "type": "call", "args": [A],
        "func": {"name": "round", "argTypes": ["vector", "scalar"], "returnType": "vector", "variadic": 1},
    },
    "topk without (x) (3, a)": {
        "type": "aggregation", "op": "topk", "expr": A, "param": {"type": "numberLiteral", "val": "3"}, "grouping": ["x"], "without": True,
    },
    "a > bool 2": {
        "type": "binaryExpr", "op": ">", "lhs": A, "rhs": {"type": "numberLiteral", "val": "2"}, "matching": None, "bool": True,
    },
    "a + on (x) group_left (y) b": {
        "type": "binaryExpr", "op": "+", "lhs": A, "rhs": B, "bool": False,
        "matching": {"card": "many-to-one", "labels": ["x"], "on": True, "include": ["y"], **_FILL},
    },
    "a and ignoring (x) b": {
        "type": "binaryExpr", "op": "and", "lhs": A, "rhs": B, "bool": False,
        "matching": {"card": "many-to-many", "labels": ["x"], "on": False, "include": [], **_FILL},
    },
}  # fmt: skip


@pytest.mark.parametrize(("query", "tree"), CASES.items())
def test_a_query_has_this_tree(query: str, tree: dict[str, Any]) -> None:
    assert described(parse(query)) == tree


def test_arithmetic_with_durations_is_refused_and_not_told_wrongly() -> None:
    with pytest.raises(BadParameterError, match="arithmetic with durations"):
        described(parse("a[1m + 1m]"))


@pytest.mark.backends
def test_prometheus_gives_the_same_tree(tmp_path_factory: pytest.TempPathFactory) -> None:
    queries = [*CASES, *(question.query for question in random_queries.made_up(5, 400))]
    compared = 0
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as prometheus:
        for query in queries:
            try:
                ours = described(parse(query))
            except (ParseError, BadParameterError):
                continue
            assert json.loads(json.dumps(ours)) == theirs(prometheus, query), query
            compared += 1
    assert compared > 300


def theirs(prometheus: Prometheus, query: str) -> Any:
    url = f"{prometheus.url}/api/v1/parse_query"
    try:
        with urllib.request.urlopen(url, data=urllib.parse.urlencode({"query": query}).encode(), timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        with error:
            return re.sub(r"^.*?: ", "", json.load(error)["error"])
