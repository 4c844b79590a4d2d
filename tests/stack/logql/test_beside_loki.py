"""The stack's answers about labels, streams, volumes and fields beside those of a real Loki with the same records, and logcli on both."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from otelkit_stack.testing import running_stack
from tests.backends import program, wait_until
from tests.stack.logql.loki import running_loki
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import PROTOBUF, post

pytestmark = pytest.mark.backends

START_NS = (time.time_ns() // (60 * SECOND_NS) - 2) * 60 * SECOND_NS
WINDOW = {"start": str(START_NS - 60 * SECOND_NS), "end": str(START_NS + 120 * SECOND_NS)}
ORDERS = '{service_name="orders"}'
ALL = '{service_name=~".+"}'


def ask(url: str, path: str, **parameters: Any) -> httpx.Response:
    parameters = {name.replace("__", "[]"): value for name, value in parameters.items()}
    return httpx.get(f"{url}/loki/api/v1/{path}", params={**WINDOW, **parameters}, timeout=30)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(running.url, logs_of_two_services(START_NS))
        running.flush()
        yield running.url


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_loki(tmp_path_factory.mktemp("loki")) as url:
        body = logs_of_two_services(START_NS).SerializeToString()
        assert httpx.post(f"{url}/otlp/v1/logs", content=body, headers={"Content-Type": PROTOBUF}).status_code == 204
        wait_until(lambda: ask(url, "labels").json().get("data"), 30, "Loki has no labels")
        yield url


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("labels", {}),
        ("labels", {"query": ORDERS}),
        ("label/service_name/values", {}),
        ("label/service_name/values", {"query": ORDERS}),
        ("label/nope/values", {}),
        ("series", {}),
        ("series", {"match__": ALL}),
        ("series", {"match__": '{service_name="nope"}'}),
        ("series", {"match__": ORDERS + ' |= "x"'}),
        ("detected_labels", {}),
        ("detected_labels", {"query": ORDERS}),
        ("detected_field/http_route/values", {"query": ORDERS}),
        ("detected_field/nope/values", {"query": ORDERS}),
        ("index/stats", {}),
        ("index/volume", {"query": 'rate({a="b"}[1m])'}),
        ("patterns", {"query": ORDERS}),
        ("status/buildinfo", {}),
    ],
)
def test_answers_are_the_same(stack: str, loki: str, path: str, parameters: dict[str, str]):
    ours, theirs = (ask(url, path, **parameters) for url in (stack, loki))
    assert (ours.status_code, ours.headers["content-type"]) == (theirs.status_code, theirs.headers["content-type"])
    if ours.status_code != 200:
        assert ours.text.strip() == theirs.text.strip()
    else:
        assert ordered(ours.json()) == ordered(theirs.json())


@pytest.mark.parametrize("query", [ORDERS, '{service_name="inventory"}'])
def test_fields_are_the_same(stack: str, loki: str, query: str):
    def fields(url: str) -> dict[str, Any]:
        return {one.pop("label"): one for one in ask(url, "detected_fields", query=query).json()["fields"]}

    ours, theirs = fields(stack), fields(loki)
    assert ours.keys() == theirs.keys()
    # Numbers of values are estimates there, and a type is that of whichever value came last.
    assert {name: (one["parsers"], one.get("jsonPath")) for name, one in ours.items()} == {
        name: (one["parsers"], one.get("jsonPath")) for name, one in theirs.items()
    }


@pytest.mark.parametrize(
    "parameters",
    [{}, {"targetLabels": "service_namespace"}, {"aggregateBy": "labels"}, {"targetLabels": "service_name,service_namespace"}],
)
def test_volumes_are_of_the_same_labels(stack: str, loki: str, parameters: dict[str, str]):
    def metrics(url: str) -> list[dict[str, str]]:
        return [series["metric"] for series in ask(url, "index/volume", query=ALL, **parameters).json()["data"]["result"]]

    assert ordered(metrics(stack)) == ordered(metrics(loki))


@pytest.mark.parametrize(
    "command",
    [
        ("labels",),
        ("labels", "service_name"),
        ("series", ALL),
        ("query", ORDERS + ' |= "plain"', "--limit=3", "-o", "raw"),
        ("query", ORDERS + " | json", "--limit=5", "--forward", "-o", "jsonl"),
        ("query", "sum by (service_name) (count_over_time(" + ALL + "[5m]))"),
        ("instant-query", "sum(count_over_time(" + ALL + "[10m]))", "--now=2030-01-01T00:00:00Z"),
        ("detected-fields", ORDERS),
    ],
)
def test_logcli_shows_the_same(stack: str, loki: str, command: tuple[str, ...]):
    """Loki's own command-line client works against it."""
    span = {"--from": int(WINDOW["start"]), "--to": int(WINDOW["end"])}
    times = [f"{flag}={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at // SECOND_NS))}" for flag, at in span.items()]
    if command[0] == "instant-query":
        times = []

    def shown(url: str) -> list[str]:
        arguments = [program("logcli"), f"--addr={url}", "--quiet", *command, *times]
        answer = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        assert answer.returncode == 0, answer.stderr
        return sorted(answer.stdout.splitlines())

    assert shown(stack) == shown(loki)


def ordered(value: Any) -> Any:
    """The value with its lists sorted: Loki hands out many of them in no order."""
    if isinstance(value, dict):
        return {name: ordered(one) for name, one in value.items() if name != "stats"}
    if isinstance(value, list):
        return sorted(map(ordered, value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
