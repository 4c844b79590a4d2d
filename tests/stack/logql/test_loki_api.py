"""Loki's endpoints without a Loki: shapes, directions, limits and errors. What queries mean is compared with a real one elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import post

START_NS = (time.time_ns() // (60 * SECOND_NS) - 5) * 60 * SECOND_NS


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(running.url, logs_of_two_services(START_NS))
        running.flush()
        yield running


def ask(stack: RunningStack, path: str, query: str, **parameters: Any) -> httpx.Response:
    window = {"start": START_NS, "end": START_NS + 60 * SECOND_NS}
    headers = parameters.pop("headers", {})
    return httpx.get(f"{stack.url}/loki/api/v1/{path}", params={**window, "query": query, **parameters}, headers=headers)


def test_the_newest_lines_come_first_and_forward_the_oldest(stack: RunningStack):
    def texts(**parameters: Any) -> list[str]:
        data = ask(stack, "query_range", '{service_name="inventory"} |= "plain"', limit=2, **parameters).json()["data"]
        assert data["resultType"] == "streams"
        return [text.split()[3] for stream in data["result"] for _, text in stream["values"]]

    assert texts() == ["57", "51"]
    assert texts(direction="forward") == ["3", "9"]


def test_labels_are_told_apart_where_the_client_asks_for_it(stack: RunningStack):
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    answer = ask(stack, "query_range", '{service_name="orders"} | json | level="info"', limit=1, headers=headers).json()["data"]
    assert answer["encodingFlags"] == ["categorize-labels"]
    ((stream, values),) = [(one["stream"], one["values"]) for one in answer["result"]]
    assert stream == {"deployment_environment_name": "test", "service_name": "orders", "service_namespace": "shop"}
    assert values[0][2]["parsed"]["level"] == "info"
    assert values[0][2]["structuredMetadata"]["http_route"] == "/orders/{pk}"


def test_an_instant_query_counts_and_a_post_asks_the_same(stack: RunningStack):
    query = 'sum by (service_name) (count_over_time({service_namespace="shop"}[2m]))'
    asked = {"query": query, "time": str(START_NS + 60 * SECOND_NS)}
    answer = httpx.get(f"{stack.url}/loki/api/v1/query", params=asked).json()
    assert answer == httpx.post(f"{stack.url}/loki/api/v1/query", data=asked).json()
    found = {series["metric"]["service_name"]: series["value"][1] for series in answer["data"]["result"]}
    assert found == {"inventory": "30", "orders": "30"}


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("query_range", '{service_name="shop"', "parse error at line 1, col 21: syntax error: unexpected $end"),
        ("query_range", "{}", "queries require at least one regexp or equality matcher"),
        ("query_range", '{a="b"} | line_format "{{ exec . }}"', 'function "exec" not defined'),
        ("query_range", 'sum_over_time({a="b"}[1m])', "invalid aggregation sum_over_time without unwrap"),
        ("query_range", '{a=~"("}', "error parsing regexp"),
        ("query_range", 'topk(rate({a="b"}[1m]))', "parameter required"),
        ("query", '{a="b"}', "log queries are not supported as an instant query type"),
    ],
)
def test_a_query_that_cannot_be_answered_is_a_400_that_says_why(stack: RunningStack, path: str, query: str, said: str):
    answer = ask(stack, path, query)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert said in answer.text


@pytest.mark.parametrize(("name", "value"), [("start", "soon"), ("limit", "many"), ("limit", "100000"), ("step", "x"), ("step", "-1")])
def test_a_parameter_that_cannot_be_read_is_a_400(stack: RunningStack, name: str, value: str):
    assert ask(stack, "query_range", 'rate({service_name="orders"}[1m])', **{name: value}).status_code == 400
