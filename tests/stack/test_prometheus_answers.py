"""What Prometheus' API answers beside queries: exemplars, metadata, status, limits, and errors in its words."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint

from otelkit_stack.testing import RunningStack, running_stack
from tests.backends import program
from tests.stack.captured import captured, shape
from tests.stack.otlp_requests import TRACE_ID, key_values, metrics, post

NOW_NS = time.time_ns()
NOW_S = NOW_NS / 1e9
SPAN_ID = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A histogram with an exemplar in each of two buckets, one of which says much more than OpenMetrics lets it say, and a gauge."""
    exemplars = [
        Exemplar(
            time_unix_nano=NOW_NS,
            as_double=value,
            trace_id=bytes.fromhex(TRACE_ID),
            span_id=bytes.fromhex(SPAN_ID),
            filtered_attributes=key_values({"user.id": user}),
        )
        for value, user in ((0.003, "7"), (0.2, "7" * 200))
    ]
    point = HistogramDataPoint(
        time_unix_nano=NOW_NS,
        count=2,
        sum=0.203,
        explicit_bounds=[0.005, 1.0],
        bucket_counts=[1, 1, 0],
        exemplars=exemplars,
        attributes=key_values({"http.route": "/orders/{pk}"}),
    )
    histogram = Histogram(data_points=[point], aggregation_temporality=2)
    colours = [NumberDataPoint(time_unix_nano=NOW_NS, as_int=1, attributes=key_values({"colour": colour})) for colour in ("red", "blue")]
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(
            running.url,
            metrics(
                Metric(name="http.server.request.duration", unit="s", histogram=histogram),
                Metric(name="balls", gauge=Gauge(data_points=colours)),
            ),
        )
        running.flush()
        yield running


def ask(stack: RunningStack, path: str, **parameters: Any) -> httpx.Response:
    return httpx.get(f"{stack.url}/api/v1/{path}", params=parameters)


def test_exemplars_are_found_by_the_selectors_of_any_query(stack: RunningStack):
    query = "histogram_quantile(0.9, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m]))) > balls"
    answer = ask(stack, "query_exemplars", query=query, start=NOW_S - 60, end=NOW_S + 60)
    first, second = answer.json()["data"]
    assert first["seriesLabels"]["__name__"] == "http_server_request_duration_seconds_bucket"
    assert (first["seriesLabels"]["http_route"], first["seriesLabels"]["le"], second["seriesLabels"]["le"]) == (
        "/orders/{pk}",
        "0.005",
        "1",
    )
    in_trace = {"span_id": SPAN_ID, "trace_id": TRACE_ID}
    assert first["exemplars"] == [{"labels": in_trace | {"user_id": "7"}, "value": "0.003", "timestamp": NOW_NS // 1_000_000 / 1000}]
    assert second["exemplars"][0]["labels"] == in_trace
    theirs = captured("prom_exemplars_http_server")["body"]
    free = ("seriesLabels", "labels")
    assert shape(answer.json(), free=free) == shape(theirs, free=free)


def test_exemplars_of_another_time_are_not_found(stack: RunningStack):
    query = "http_server_request_duration_seconds_bucket"
    posted = httpx.post(f"{stack.url}/api/v1/query_exemplars", data={"query": query, "start": str(NOW_S - 90), "end": str(NOW_S - 60)})
    assert posted.json() == {"status": "success", "data": []}
    assert len(httpx.post(f"{stack.url}/api/v1/query_exemplars", data={"query": query}).json()["data"]) == 2


def test_metadata_tells_type_and_help_of_what_has_arrived(stack: RunningStack):
    found = ask(stack, "metadata").json()["data"]
    (about,) = found["http_server_request_duration_seconds"]
    assert not [name for name in found if name.startswith("django_")]
    assert list(ask(stack, "metadata", limit=1).json()["data"]) == list(found)[:1]
    assert (about["type"], about["unit"]) == ("histogram", "")
    assert "request" in about["help"]
    assert ask(stack, "metadata", metric="balls").json() == {"status": "success", "data": {}}
    (theirs,) = next(iter(captured("prom_metadata")["body"]["data"].values()))
    assert shape(about) == shape(theirs)


@pytest.mark.parametrize("name", ["buildinfo", "tsdb"])
def test_what_the_server_says_of_itself_has_prometheus_shape(stack: RunningStack, name: str):
    ours, theirs = ask(stack, f"status/{name}").json(), captured(f"prom_{name}" if name == "buildinfo" else "prom_tsdb_status")["body"]
    assert shape(ours) == shape(theirs)


def test_the_metrics_with_most_series_come_first(stack: RunningStack):
    data = ask(stack, "status/tsdb").json()["data"]
    assert data["seriesCountByMetricName"][0] == {"name": "http_server_request_duration_seconds_bucket", "value": 3}
    assert {"name": "colour", "value": 2} in data["labelValueCountByLabelName"]
    assert {"name": "job=shop/orders", "value": data["headStats"]["numSeries"]} in data["seriesCountByLabelValuePair"]
    assert data["headStats"]["numSeries"] == len(ask(stack, "series", **{"match[]": '{__name__=~".+"}'}).json()["data"])


def test_flags_tell_what_holds_here(stack: RunningStack):
    found = ask(stack, "status/flags").json()["data"]
    assert (found["query.lookback-delta"], found["query.timeout"], found["storage.tsdb.retention.time"]) == ("5m", "2m", "0s")


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("query", {"query": "balls", "time": NOW_S}),
        ("query", {"query": "balls[5m]", "time": NOW_S}),
        ("query_range", {"query": "balls", "start": NOW_S - 15, "end": NOW_S, "step": "15"}),
        ("series", {"match[]": "balls"}),
        ("labels", {"match[]": "balls"}),
        ("label/colour/values", {}),
    ],
)
def test_a_limit_cuts_an_answer_off_and_says_so(stack: RunningStack, path: str, parameters: dict[str, Any]):
    whole, cut = ask(stack, path, **parameters).json(), ask(stack, path, **parameters, limit=1).json()

    def content(body: dict[str, Any]) -> list[Any]:
        found: list[Any] = body["data"]["result"] if isinstance(body["data"], dict) else body["data"]
        return found

    assert len(content(whole)) > 1
    assert content(cut) == content(whole)[:1]
    assert cut["warnings"] == ["results truncated due to limit"]
    assert "warnings" not in whole


def test_what_can_be_asked_by_get_can_be_posted(stack: RunningStack):
    for path in ("series", "labels"):
        posted = httpx.post(f"{stack.url}/api/v1/{path}", data={"match[]": "balls"})
        assert posted.json() == ask(stack, path, **{"match[]": "balls"}).json()


def test_a_query_is_written_anew(stack: RunningStack):
    asked = {"query": "sum(rate(balls{colour='red'}[5m]))by(job)"}
    answer = {"status": "success", "data": 'sum by (job) (rate(balls{colour="red"}[5m]))'}
    assert ask(stack, "format_query", **asked).json() == httpx.post(f"{stack.url}/api/v1/format_query", data=asked).json() == answer


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("query", {"query": "balls", "time": "soon"}, 'invalid parameter "time": cannot parse "soon" to a valid timestamp'),
        ("query", {"query": "balls", "limit": "-1"}, 'invalid parameter "limit": limit must be non-negative'),
        ("query", {"query": "balls", "limit": "x"}, 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'),
        ("query", {"query": "balls", "timeout": "x"}, 'invalid parameter "timeout": cannot parse "x" to a valid duration'),
        ("query_range", {"query": "balls"}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        ("query_range", {"query": "balls", "start": "1", "end": "2", "step": "1e300"}, "to a valid duration. It overflows int64"),
        ("query_exemplars", {"query": "sum("}, "1:5: parse error: unclosed left parenthesis"),
        ("query_exemplars", {"query": "balls", "start": "2", "end": "1"}, "end timestamp must not be before start timestamp"),
        ("format_query", {"query": "sum("}, 'invalid parameter "query": 1:5: parse error'),
        ("labels", {"match[]": "{"}, 'invalid parameter "match[]": 1:2: parse error'),
        ("series", {}, "no match[] parameter provided"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_bad_data(stack: RunningStack, path: str, parameters: dict[str, str], said: str):
    answer = ask(stack, path, **parameters)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert said in answer.json()["error"]


@pytest.mark.parametrize("name", ["prom_error_bad_query", "prom_error_range_points", "prom_error_unknown_path", "loki_error_unknown_path"])
def test_an_error_is_prometheus_s_own_to_the_letter(stack: RunningStack, name: str):
    theirs = captured(name)
    answer = httpx.get(f"{stack.url}{theirs['request']['path']}", params=theirs["request"]["params"])
    body = answer.json() if isinstance(theirs["body"], dict) else answer.text
    assert (answer.status_code, answer.headers["content-type"], body) == (theirs["status"], theirs["content_type"], theirs["body"])


def test_the_stack_says_that_it_lives_and_is_ready(stack: RunningStack):
    for path in ("/-/ready", "/ready", "/-/healthy"):
        assert httpx.get(f"{stack.url}{path}").status_code == 200
    assert httpx.get(f"{stack.url}/ready").text == captured("loki_ready")["body"]


@pytest.mark.backends
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("query", "instant", "{url}", "sum(balls)", f"--time={NOW_S}"), "2"),
        (("query", "range", "{url}", "balls", "--step=15s", f"--start={NOW_S - 60}", f"--end={NOW_S}"), 'colour="red"'),
        (("query", "series", "{url}", "--match=balls"), 'colour="blue"'),
        (("query", "labels", "{url}", "colour"), "blue"),
        (("check", "healthy", "--url={url}"), "SUCCESS"),
        (("check", "ready", "--url={url}"), "SUCCESS"),
    ],
)
def test_promtool_asks_the_stack(stack: RunningStack, command: tuple[str, ...], said: str):
    """Prometheus' own command-line client works against it."""
    arguments = [argument.format(url=stack.url) for argument in command]
    answer = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert said in answer.stdout + answer.stderr
