"""What Loki's API answers beside queries: labels, streams, volumes, fields, and lines as they arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.captured import captured, shape
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import any_value, logs, post

START_NS = (time.time_ns() // (60 * SECOND_NS) - 2) * 60 * SECOND_NS
WINDOW = {"start": str(START_NS - 60 * SECOND_NS), "end": str(START_NS + 120 * SECOND_NS)}
ORDERS = '{service_name="orders"}'
ALL = '{service_name=~".+"}'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(running.url, logs_of_two_services(START_NS))
        running.flush()
        yield running


def ask(url: str, path: str, **parameters: Any) -> httpx.Response:
    parameters = {name.replace("__", "[]"): value for name, value in parameters.items()}
    return httpx.get(f"{url}/loki/api/v1/{path}", params={**WINDOW, **parameters}, timeout=30)


def test_labels_and_streams_are_those_of_lines_in_the_time(stack: RunningStack):
    names = ["deployment_environment_name", "service_name", "service_namespace"]
    assert ask(stack.url, "labels").json() == {"status": "success", "data": names}
    assert ask(stack.url, "label/service_name/values").json()["data"] == ["inventory", "orders"]
    assert ask(stack.url, "label/service_name/values", query=ORDERS).json()["data"] == ["orders"]
    assert ask(stack.url, "label/severity_text/values").json() == {"status": "success"}
    assert ask(stack.url, "labels", start="1", end="2").json() == {"status": "success"}
    of_orders = {"deployment_environment_name": "test", "service_name": "orders", "service_namespace": "shop"}
    assert ask(stack.url, "series", match__=ORDERS).json()["data"] == [of_orders]
    assert len(ask(stack.url, "series").json()["data"]) == 2
    posted = httpx.post(f"{stack.url}/loki/api/v1/series", data={**WINDOW, "match[]": ORDERS})
    assert posted.json()["data"] == [of_orders]


def test_a_service_that_sent_no_line_is_no_stream(stack: RunningStack):
    assert "orders" in ask(stack.url, "label/service_name/values").json()["data"]
    empty = {"start": str(START_NS + 60 * SECOND_NS), "end": str(START_NS + 120 * SECOND_NS)}
    assert httpx.get(f"{stack.url}/loki/api/v1/labels", params=empty).json() == {"status": "success"}


def test_volumes_are_bytes_by_the_labels_that_are_named(stack: RunningStack):
    stats = ask(stack.url, "index/stats", query=ORDERS).json()
    assert (stats["streams"], stats["entries"]) == (1, 30)
    volume = ask(stack.url, "index/volume", query=ALL).json()["data"]
    assert volume["resultType"] == "vector"
    found = {series["metric"]["service_name"]: int(series["value"][1]) for series in volume["result"]}
    assert found["orders"] == stats["bytes"] > 0
    assert [*found.values()] == sorted(found.values(), reverse=True)
    assert volume["result"][0]["value"][0] == int(WINDOW["end"]) // SECOND_NS
    (whole,) = ask(stack.url, "index/volume", query=ALL, targetLabels="service_namespace").json()["data"]["result"]
    assert (whole["metric"], int(whole["value"][1])) == ({"service_namespace": "shop"}, sum(found.values()))
    by_label = ask(stack.url, "index/volume", query=ALL, aggregateBy="labels").json()["data"]["result"]
    assert [series["metric"] for series in by_label] == [
        {"deployment_environment_name": ""},
        {"service_name": ""},
        {"service_namespace": ""},
    ]
    assert len(ask(stack.url, "index/volume", query="{}", limit=1).json()["data"]["result"]) == 1


def test_volumes_over_time_add_up(stack: RunningStack):
    whole = ask(stack.url, "index/volume", query=ORDERS).json()["data"]["result"][0]["value"][1]
    (series,) = ask(stack.url, "index/volume_range", query=ORDERS, step="20s").json()["data"]["result"]
    assert sum(int(octets) for _, octets in series["values"]) == int(whole)
    assert [at for at, _ in series["values"]] == [START_NS / SECOND_NS + late for late in (19.999, 39.999, 59.999)]


def test_fields_have_a_type_and_the_parser_that_finds_them(stack: RunningStack):
    body = ask(stack.url, "detected_fields", query=ORDERS).json()
    fields = {one["label"]: one for one in body["fields"]}
    assert body["limit"] == 1000
    assert fields["took"] == {"label": "took", "type": "duration", "cardinality": 10, "parsers": ["json"], "jsonPath": ["took"]}
    assert fields["nested_b_c"]["jsonPath"] == ["nested", "b", "c"]
    assert (fields["size"]["type"], fields["ratio"]["type"], fields["status"]["type"]) == ("bytes", "float", "int")
    assert fields["http_route"] == {"label": "http_route", "type": "string", "cardinality": 1, "parsers": None}
    inventory = {one["label"]: one for one in ask(stack.url, "detected_fields", query='{service_name="inventory"}').json()["fields"]}
    assert inventory["method"]["parsers"] == ["logfmt"]
    assert len(ask(stack.url, "detected_fields", query=ORDERS, limit=3).json()["fields"]) == 3
    values = ask(stack.url, "detected_field/http_route/values", query=ORDERS).json()
    assert values == {"values": ["/orders/{pk}"], "limit": 1000}
    assert ask(stack.url, "detected_field/nope/values", query=ORDERS).json() == {}


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("labels", {"query": "{"}, "parse error at line 1, col 2: syntax error: unexpected $end"),
        ("series", {"match__": ORDERS + ' |= "x"'}, "only label matchers are supported"),
        ("index/stats", {}, "parse error : syntax error: unexpected $end"),
        ("index/volume", {"query": 'rate({a="b"}[1m])'}, "only label matchers are supported"),
        ("index/volume", {"query": ALL, "aggregateBy": "x"}, "invalid aggregation option"),
        ("index/volume_range", {"query": ALL, "step": "-1"}, "zero or negative query resolution step"),
        ("detected_fields", {}, "parse error : syntax error: unexpected $end"),
        ("detected_fields", {"query": ORDERS, "line_limit": "0"}, "line_limit must be"),
        ("labels", {"start": "soon"}, "could not parse start"),
    ],
)
def test_what_cannot_be_read_is_a_400_in_plain_text(stack: RunningStack, path: str, parameters: dict[str, str], said: str):
    answer = ask(stack.url, path, **parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert said in answer.text


SHAPES = {
    "loki_buildinfo": (),
    "loki_detected_fields": ("fields",),
    "loki_detected_labels": (),
    "loki_index_stats": (),
    "loki_index_volume": ("stats", "metric"),
    "loki_index_volume_range": ("stats", "metric"),
    "loki_label_values_service_name": (),
    "loki_labels": (),
    "loki_patterns": ("data",),
    "loki_series": ("data",),
    "loki_query_instant_vector": ("stats", "metric"),
    "loki_query_range_matrix": ("stats", "metric"),
    "loki_query_range_streams": ("stats", "stream"),
    "loki_query_range_empty": ("stats",),
}


@pytest.mark.parametrize("name", SHAPES)
def test_answers_have_the_shape_of_captured_ones(stack: RunningStack, name: str):
    theirs = captured(name)
    asked = dict(theirs["request"]["params"])
    for parameter in ("query", "match[]"):
        if parameter in asked:
            asked[parameter] = asked[parameter].replace('"shop"', '"orders"').replace('"ref"', '"shop"')
    answer = httpx.get(
        f"{stack.url}{theirs['request']['path']}", params={**asked, **(WINDOW if "start" in asked else {"time": WINDOW["end"]})}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (theirs["status"], theirs["content_type"])
    ours = answer.json()
    if name == "loki_index_volume_range":
        # A step of ours is one of theirs; which steps have a value, and so the type of a whole number, is the data's affair.
        assert ours["data"]["resultType"] == theirs["body"]["data"]["resultType"]
    assert shape(ours, free=SHAPES[name]) == shape(theirs["body"], free=SHAPES[name])


@pytest.mark.parametrize("name", ["loki_error_bad_query", "loki_error_empty_matcher"])
def test_errors_are_captured_ones_to_the_letter(stack: RunningStack, name: str):
    theirs = captured(name)
    answer = httpx.get(f"{stack.url}{theirs['request']['path']}", params=theirs["request"]["params"])
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (theirs["status"], theirs["content_type"], theirs["body"])


def line(text: str, at_ns: int) -> LogRecord:
    return LogRecord(time_unix_nano=at_ns, severity_number=9, body=any_value(text))


def test_lines_are_told_as_they_arrive(tmp_path: Path):
    with running_stack(tmp_path) as running:
        now = time.time_ns()
        post(running.url, logs(line("before", now - SECOND_NS), line("other", now - 2 * SECOND_NS)))
        running.flush()
        address = running.url.replace("http", "ws") + "/loki/api/v1/tail"
        query = quote(ORDERS + ' |= "e" | line_format "<{{__line__}}>"')
        with connect(f"{address}?query={query}&limit=1") as socket:
            first = json.loads(socket.recv(timeout=20))["streams"]
            post(running.url, logs(line("now", now), line("here", now)))
            second = json.loads(socket.recv(timeout=20))["streams"]
        (stream,) = first
        assert (stream["stream"]["service_name"], [text for _, text in stream["values"]]) == ("orders", ["<before>"])
        assert [text for stream in second for _, text in stream["values"]] == ["<here>"]


def test_a_tail_of_numbers_is_closed_with_the_reason(stack: RunningStack):
    address = stack.url.replace("http", "ws") + "/loki/api/v1/tail"
    query = quote(f"rate({ORDERS}[1m])")
    with connect(f"{address}?query={query}") as socket, pytest.raises(ConnectionClosedError, match="only log queries"):
        socket.recv(timeout=20)


@pytest.mark.parametrize("headers", [{"Origin": "https://example.org"}, {"Host": "example.org"}])
def test_no_site_opens_a_socket_to_the_stack(stack: RunningStack, headers: dict[str, str]):
    """C6: a browser lets any site open a websocket to any address, and says only where it comes from."""
    address = stack.url.replace("http", "ws") + f"/loki/api/v1/tail?query={quote(ORDERS)}"
    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers):
        pass
    assert refused.value.response.status_code in (400, 403)
    with connect(address, additional_headers={"Origin": stack.url}) as socket:
        assert "streams" in json.loads(socket.recv(timeout=20))
