"""Queries are written as Prometheus writes them, and mean the same afterwards."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request

import pytest

from otelkit_stack.promql.errors import ParseError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.printing import pretty, printed
from tests.backends import Prometheus, running_prometheus
from tests.stack.promql import random_queries

_ARITHMETIC = re.compile(r"[\[(:]-?\w+ [-+*/%^] \w+[\])]|step\(\)|range\(\)|(max|min)_of")
LONG = "sum by (service_name, http_route, http_response_status_code) (rate(http_server_request_duration_seconds_count[5m]))"
CASES = {
    "up": "up",
    "sum(rate(a_total{b='c',d=~\"e.*\"}[5m]))by(x,y)": 'sum by (x, y) (rate(a_total{b="c",d=~"e.*"}[5m]))',
    "topk(3,a)without(b)": "topk without (b) (3, a)",
    "a+on(x)group_left(y)b*2": "a + on (x) group_left (y) b * 2",
    "a>bool 1": "a > bool 1",
    "a[5m:1m]offset 1h": "a[5m:1m] offset 1h",
    "a offset -5m @ 100": "a @ 100.000 offset -5m",
    "a[90s] @ end()": "a[1m30s] @ end()",
    '{"http.route",x="1"}': '{__name__="http.route",x="1"}',
    "-(a) and ignoring(b) c": "-(a) and ignoring (b) c",
    'label_replace(a, "x", "$1", "y", "(.*)")': 'label_replace(a, "x", "$1", "y", "(.*)")',
    "1e6 + 0x1f": "1000000 + 31",
    "a[max_of(5m,1m)] offset -(1m*2)": "a[max_of(300, 60)] offset -(60 * 2)",
    LONG: "sum by (service_name, http_route, http_response_status_code) (\n  rate(http_server_request_duration_seconds_count[5m])\n)",
    f"{LONG} / {LONG}": "  sum by (service_name, http_route, http_response_status_code) (\n"
    "    rate(http_server_request_duration_seconds_count[5m])\n  )\n/\n"
    "  sum by (service_name, http_route, http_response_status_code) (\n"
    "    rate(http_server_request_duration_seconds_count[5m])\n  )",
}


@pytest.mark.parametrize(("query", "text"), CASES.items())
def test_a_query_is_written_so(query: str, text: str) -> None:
    assert pretty(parse(query)) == text


def test_what_is_written_reads_back_as_the_same_query() -> None:
    for question in random_queries.made_up(3, 300):
        try:
            once = printed(parse(question.query))
        except ParseError:
            continue
        assert printed(parse(once)) == once
        assert printed(parse(pretty(parse(question.query)))) == once


@pytest.mark.backends
def test_prometheus_writes_them_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    queries = [*CASES, *(question.query for question in random_queries.made_up(4, 300))]
    # What arithmetic with durations was written with is not kept, and what cannot be read is not written.
    queries = [query for query in queries if not _ARITHMETIC.search(query) and _is_readable(query)]
    assert len(queries) > 200
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as prometheus:
        wrong = {query: (ours, theirs) for query in queries if (ours := pretty(parse(query))) != (theirs := _formatted(prometheus, query))}
    assert not wrong, f"{len(wrong)}: {list(wrong.items())[:6]}"


def _is_readable(query: str) -> bool:
    try:
        parse(query)
    except ParseError:
        return False
    return True


def _formatted(prometheus: Prometheus, query: str) -> str:
    address = f"{prometheus.url}/api/v1/format_query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(json.load(answer)["data"])
