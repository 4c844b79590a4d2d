"""Prometheus' HTTP API over what was received over OTLP: shapes and errors as Prometheus has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, Sum

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import key_values, metrics, post

START_S = time.time_ns() // 1_000_000_000 - 600
LABELS = {"job": "shop/orders", "instance": "laptop:0", "service_name": "orders", "service_namespace": "shop"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Ten minutes of two counters, a sample every 15 seconds: one grows by 30 at each, the other by 15."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        for number in range(41):
            points = [
                NumberDataPoint(
                    time_unix_nano=(START_S + 15 * number) * 1_000_000_000, as_int=number * step, attributes=key_values({"colour": colour})
                )
                for colour, step in (("red", 30), ("blue", 15))
            ]
            post(running.url, metrics(Metric(name="balls", sum=Sum(data_points=points, aggregation_temporality=2, is_monotonic=True))))
        running.flush()
        yield running


def ask(stack: RunningStack, path: str, **parameters: Any) -> httpx.Response:
    return httpx.get(f"{stack.url}/api/v1/{path}", params=parameters)


def test_a_rate_over_what_was_received(stack: RunningStack):
    answer = ask(stack, "query", query='sum by (service_name) (rate(balls_total{job=~"shop/.+"}[1m]))', time=START_S + 600)
    data = answer.json()["data"]
    ((at, value),) = [series["value"] for series in data["result"]]
    assert (answer.json()["status"], data["resultType"], at) == ("success", "vector", START_S + 600)
    assert [series["metric"] for series in data["result"]] == [{"service_name": "orders"}]
    assert float(value) == pytest.approx(3)


def test_a_range_has_a_value_at_each_step_by_get_and_by_post(stack: RunningStack):
    parameters = {"query": "rate(balls_total[1m])", "start": START_S + 300, "end": START_S + 420, "step": "60s"}
    answer = ask(stack, "query_range", **parameters).json()
    posted = httpx.post(f"{stack.url}/api/v1/query_range", data=parameters).json()
    assert answer == posted
    found = {series["metric"]["colour"]: series["values"] for series in answer["data"]["result"]}
    for colour, rate in (("blue", 1), ("red", 2)):
        assert [at - START_S for at, _ in found[colour]] == [300, 360, 420]
        assert [float(value) for _, value in found[colour]] == pytest.approx([rate] * 3)


def test_what_there_is_to_ask_for(stack: RunningStack):
    red = ask(stack, "series", **{"match[]": 'balls_total{colour="red"}'}).json()["data"]
    assert [{name: series[name] for name in ("__name__", "colour", *LABELS)} for series in red] == [
        {"__name__": "balls_total", "colour": "red", **LABELS}
    ]
    assert ask(stack, "label/colour/values").json()["data"] == ["blue", "red"]
    assert ask(stack, "label/colour/values", **{"match[]": 'balls_total{colour!="red"}'}).json()["data"] == ["blue"]
    assert {"__name__", "colour", "job"} <= set(ask(stack, "labels").json()["data"])
    assert "colour" not in ask(stack, "labels", **{"match[]": "target_info"}).json()["data"]
    assert ask(stack, "status/buildinfo").json()["data"]["version"].startswith("3.")


def test_what_there_is_to_ask_for_in_a_time(tmp_path: Path):
    """What had ended before a board's range is not offered in it, whether its samples are in memory still or on the disk alone."""
    periods = {"past": START_S - 7_200, "present": START_S}
    with running_stack(tmp_path) as first:
        for colour, start_s in periods.items():
            points = [
                NumberDataPoint(time_unix_nano=(start_s + 15 * number) * 1_000_000_000, as_int=number, attributes=key_values({colour: "1"}))
                for number in range(10)
            ]
            post(first.url, metrics(Metric(name=f"of.{colour}", gauge=Gauge(data_points=points))))
        first.flush()
        _assert_each_is_found_in_its_time(first, periods)
    with running_stack(tmp_path) as second:
        _assert_each_is_found_in_its_time(second, periods)


def _assert_each_is_found_in_its_time(running: RunningStack, periods: dict[str, int]) -> None:
    for colour, start_s in periods.items():
        other = next(name for name in periods if name != colour)
        times = {"start": start_s - 5, "end": start_s + 5}
        names = ask(running, "label/__name__/values", **times).json()["data"]
        assert (f"of_{colour}" in names, f"of_{other}" in names) == (True, False)
        labels = ask(running, "labels", **times).json()["data"]
        assert (colour in labels, other in labels) == (True, False)
        assert ask(running, f"label/{other}/values", **times).json()["data"] == []
        (found,) = ask(running, "series", **{"match[]": '{__name__=~"of_.+"}'}, **times).json()["data"]
        assert found["__name__"] == f"of_{colour}"
        assert ask(running, "series", **{"match[]": f"of_{other}"}, **times).json()["data"] == []
    assert {"of_past", "of_present"} <= set(ask(running, "label/__name__/values", start=START_S - 10_000).json()["data"])
    assert ask(running, "labels", start=START_S - 20_000, end=START_S - 10_000).json()["data"] == []
    assert ask(running, "label/past/values", start=START_S).json()["data"] == []
    assert ask(running, "label/past/values", end=START_S - 60).json()["data"] == ["1"]


def test_a_query_is_shown_as_text_and_as_a_tree(stack: RunningStack):
    query = "sum by(x)(rate(balls_total[5m]))"
    assert ask(stack, "format_query", query=query).json() == {"status": "success", "data": "sum by (x) (rate(balls_total[5m]))"}
    tree = ask(stack, "parse_query", query=query).json()["data"]
    assert (tree["type"], tree["op"], tree["grouping"], tree["expr"]["func"]["name"]) == ("aggregation", "sum", ["x"], "rate")
    assert tree == httpx.post(f"{stack.url}/api/v1/parse_query", data={"query": query}).json()["data"]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "kind", "said"),
    [
        ("query", {"query": "sum("}, 400, "bad_data", "parse error"),
        ("query", {"query": "up", "time": "soon"}, 400, "bad_data", "soon"),
        ("query_range", {"query": "up", "start": "1", "end": "2"}, 400, "bad_data", 'invalid parameter "step"'),
        ("query_range", {"query": "up", "start": "0", "end": "100000", "step": "1"}, 400, "bad_data", "exceeded maximum resolution"),
        ("query", {"query": 'balls_total * on (job) balls_total', "time": START_S + 600}, 422, "execution", "many-to-many"),
        ("parse_query", {"query": "sum("}, 400, "bad_data", 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
        ("parse_query", {}, 400, "bad_data", "no expression found in input"),
        ("format_query", {"query": "sum("}, 400, "bad_data", "unclosed left parenthesis"),
        ("labels", {"start": "2", "end": "1"}, 400, "bad_data", "end timestamp must not be before start timestamp"),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("series", {"match[]": "sum(up)"}, 400, "bad_data", "no selector"),
    ],
)  # fmt: skip
def test_an_error_has_prometheus_status_and_kind(
    stack: RunningStack, path: str, parameters: dict[str, Any], status: int, kind: str, said: str
):
    answer = ask(stack, path, **parameters)
    assert answer.status_code == status
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert said in body["error"]


def test_samples_are_found_after_a_restart(tmp_path: Path):
    point = NumberDataPoint(time_unix_nano=START_S * 1_000_000_000, as_int=7)
    request = metrics(Metric(name="kept", sum=Sum(data_points=[point], aggregation_temporality=2, is_monotonic=True)))
    with running_stack(tmp_path) as first:
        post(first.url, request)
        first.flush()
    with running_stack(tmp_path) as second:
        (found,) = ask(second, "query", query="kept_total", time=START_S).json()["data"]["result"]
        assert found["value"] == [START_S, "7"]
