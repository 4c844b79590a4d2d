"""Tempo's endpoints: traces, searches, tags and numbers over time, their limits, and what they say to what cannot be answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import post
from tests.stack.traceql.shop import START_NS, TRACES, shop

START_S = START_NS // 1_000_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        for request in shop():
            post(running.url, request)
        running.flush()
        yield running


def ask(stack: RunningStack, path: str, **parameters: Any) -> httpx.Response:
    return httpx.get(f"{stack.url}{path}", params=parameters)


# --- one trace --------------------------------------------------------------------------------------------------------
def test_a_trace_comes_in_both_versions_as_json_and_as_protobuf(stack: RunningStack):
    first = ask(stack, f"/api/traces/{TRACES['a']}").json()["batches"]
    second = ask(stack, f"/api/v2/traces/{TRACES['a']}").json()["trace"]["resourceSpans"]
    assert first == second
    accepts = {"Accept": "application/protobuf"}
    packed = httpx.get(f"{stack.url}/api/traces/{TRACES['a']}", headers=accepts)
    assert packed.headers["content-type"] == "application/protobuf"
    trace = TracesData.FromString(packed.content)
    spans = [span for batch in trace.resource_spans for scope in batch.scope_spans for span in scope.spans]
    assert sorted(span.name for span in spans) == ["INSERT orders", "POST", "POST /checkout", "POST /orders", "SELECT orders"]
    answer = httpx.get(f"{stack.url}/api/v2/traces/{TRACES['a']}", headers=accepts).content
    # TraceByIDResponse has the trace in its first field: OTLP's TracesData nests a message in the same way.
    assert answer.endswith(packed.content)
    assert answer[0] == 0x0A


def test_a_trace_that_is_unknown_is_404_in_the_first_version_and_empty_in_the_second(stack: RunningStack):
    unknown = ask(stack, f"/api/traces/{'1' * 32}")
    assert (unknown.status_code, unknown.content) == (404, b"")
    assert ask(stack, f"/api/v2/traces/{'1' * 32}").json() == {"trace": {}, "metrics": {}}
    assert httpx.get(f"{stack.url}/api/v2/traces/1", headers={"Accept": "application/protobuf"}).content == b"\x0a\x00"


@pytest.mark.parametrize("version", ["/api/traces", "/api/v2/traces"])
def test_an_id_that_is_none_is_a_400_that_says_why(stack: RunningStack, version: str):
    wrong = ask(stack, f"{version}/12x4")
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert wrong.text == "trace IDs can only contain hex characters: invalid character 'x' at position 3"
    assert ask(stack, f"{version}/{'1' * 33}").text == "trace IDs can't be larger than 128 bits"


# --- search -----------------------------------------------------------------------------------------------------------
def test_a_search_answers_traces_with_their_sets_of_spans(stack: RunningStack):
    query = "{ .http.response.status_code >= 500 } | select(name, span.rows)"
    answer = ask(stack, "/api/search", q=query, spss=1).json()
    (trace,) = answer["traces"]
    assert {key: trace[key] for key in ("traceID", "rootServiceName", "rootTraceName", "startTimeUnixNano", "durationMs")} == {
        "traceID": TRACES["a"].lstrip("0"),
        "rootServiceName": "gateway",
        "rootTraceName": "POST /checkout",
        "startTimeUnixNano": str(START_NS),
        "durationMs": 1000,
    }
    assert trace["serviceStats"] == {"gateway": {"spanCount": 2, "errorCount": 1}, "orders": {"spanCount": 3, "errorCount": 1}}
    assert trace["spanSets"] == [trace["spanSet"]]
    assert trace["spanSet"]["matched"] == 2
    (span,) = trace["spanSet"]["spans"]
    assert span["name"] == "POST /checkout"
    assert {pair["key"]: pair["value"] for pair in span["attributes"]} == {
        "http.response.status_code": {"intValue": "500"},
        "rows": {"stringValue": "nil"},
    }


def test_a_trace_without_its_root_says_so(stack: RunningStack):
    (trace,) = ask(stack, "/api/search", q="{ kind = consumer }").json()["traces"]
    assert trace["rootServiceName"] == "<root span not yet received>"
    assert "rootTraceName" not in trace


def test_tags_search_without_traceql(stack: RunningStack):
    def found(**parameters: Any) -> list[str]:
        return [trace["traceID"][0] for trace in ask(stack, "/api/search", **parameters).json()["traces"]]

    assert found(tags="service.name=orders http.response.status_code=500") == ["a"]
    assert found(tags='name="GET /orders"') == ["b"]  # a part of the text is enough
    assert found(tags="error=true") == ["a"]
    assert found(tags="root.service.name=gateway status.code=error") == ["a"]
    assert found(tags="http.response.status_code=50") == []
    assert found(minDuration="500ms") == ["c", "a"]
    assert found(minDuration="500ms", maxDuration="1.5s") == ["a"]
    assert found() == ["c", "b", "a"]
    assert found(limit=1) == ["c"]
    assert found(start=START_S, end=START_S + 5) == ["a"]


def test_a_post_asks_the_same(stack: RunningStack):
    asked = {"q": "{ status = error }"}
    assert httpx.post(f"{stack.url}/api/search", data=asked).json()["traces"] == ask(stack, "/api/search", **asked).json()["traces"]


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("/api/search", {"q": "{ nope"}, "invalid TraceQL query: parse error at line 1, col 3: unknown identifier: nope"),
        ("/api/search", {"q": '{ 1 = "foo" }'}, "invalid TraceQL query: binary operations must operate on the same type: 1 = `foo`"),
        ("/api/search", {"q": "{ } | rate()"}, "ask /api/metrics/query_range"),
        ("/api/search", {"q": "{ }", "tags": "a=b"}, "q and tags cannot be asked together"),
        ("/api/search", {"q": "{ }", "limit": "many"}, 'invalid limit: strconv.ParseInt: parsing "many": invalid syntax'),
        ("/api/search", {"q": "{ }", "limit": "0"}, "invalid limit: must be a positive number"),
        ("/api/search", {"q": "{ }", "limit": "1000000"}, "limit 1000000 exceeds max limit 10000"),
        ("/api/search", {"q": "{ }", "spss": "-1"}, "invalid spss: must be a positive number"),
        ("/api/search", {"q": "{ }", "start": "2", "end": "1"}, "http parameter start must be before end. received start=2 end=1"),
        ("/api/search", {"q": "{ }", "start": "9" * 30, "end": "1"}, "value out of range"),
        ("/api/search", {"tags": 'a="b'}, "invalid tags"),
        ("/api/search", {"tags": "a=b a=c"}, "invalid tags: tag a has been set twice"),
        ("/api/search", {"minDuration": "soon"}, "invalid minDuration"),
        ("/api/search", {"minDuration": "2s", "maxDuration": "1s"}, "invalid maxDuration: must be greater than minDuration"),
        ("/api/metrics/query_range", {"q": "{ }"}, "not a metrics query"),
        ("/api/metrics/query_range", {"q": "{ } | rate()", "start": "2", "end": "1"}, "end must be greater than start"),
        ("/api/metrics/query_range", {"q": "{ } | rate()", "start": "x", "end": "1"}, "invalid start"),
        ("/api/metrics/query_range", {"q": "{ } | rate()", "step": "x"}, "invalid step"),
        ("/api/metrics/query_range", {"q": "{ } | rate()", "step": "-1s"}, "step must be greater than 0"),
        ("/api/metrics/query_range", {"q": "{ } | rate()", "step": "1ms"}, "exceeded maximum resolution"),
        ("/api/metrics/query", {"q": "{ } | rate() by (name, kind, status, .a, .b, .c)"}, "metrics group by 6 values not yet supported"),
        ("/api/v2/search/tags", {"scope": "nobody"}, "invalid scope: nobody"),
        ("/api/v2/search/tag/nobody/values", {}, "tag name is not valid intrinsic or scoped attribute: nobody"),
    ],
)
def test_what_cannot_be_answered_is_a_400_that_says_why(stack: RunningStack, path: str, parameters: dict[str, str], said: str):
    answer = ask(stack, path, **parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert said in answer.text


# --- numbers over time ------------------------------------------------------------------------------------------------
def test_numbers_over_time_come_in_series_with_spans_to_look_at(stack: RunningStack):
    query = "{ status = error } | count_over_time() by (resource.service.name)"
    answer = ask(stack, "/api/metrics/query_range", q=query, step="10s", start=START_S, end=START_S + 20).json()
    gateway, orders = answer["series"]
    assert gateway["labels"] == [{"key": "resource.service.name", "value": {"stringValue": "gateway"}}]
    # As in protobuf's JSON a zero is left out.
    assert gateway["samples"] == [
        {"timestampMs": f"{START_S}000", "value": 1.0},
        {"timestampMs": f"{START_S + 10}000"},
        {"timestampMs": f"{START_S + 20}000"},
    ]
    (exemplar,) = gateway["exemplars"]
    assert exemplar["labels"][0] == {"key": "trace:id", "value": {"stringValue": TRACES["a"].lstrip("0")}}
    assert (exemplar["value"], exemplar["timestampMs"]) == (1.0, f"{START_S}000")
    assert [sample.get("value") for sample in orders["samples"]] == [None, 1.0, None]


def test_an_instant_query_is_one_number(stack: RunningStack):
    answer = ask(stack, "/api/metrics/query", q="{ } | count_over_time()", start=START_S, end=START_S + 60).json()
    assert answer["series"] == [{"labels": [{"key": "__name__", "value": {"stringValue": "count_over_time"}}], "value": 7.0}]
    # Without a time it is the last hour, and these spans are older.
    assert ask(stack, "/api/metrics/query", query="{ } | max_over_time(duration)").json()["series"] == []


# --- tags -------------------------------------------------------------------------------------------------------------
def test_tags_are_named_by_scope(stack: RunningStack):
    scopes = {scope["name"]: scope["tags"] for scope in ask(stack, "/api/v2/search/tags").json()["scopes"]}
    assert list(scopes) == ["event", "link", "resource", "span", "intrinsic"]
    assert scopes["event"] == ["attempt", "exception.type"]
    assert scopes["resource"] == ["place", "replicas", "service.name"]
    assert "http.route" in scopes["span"]
    assert "span:duration" in scopes["intrinsic"]
    (only,) = ask(stack, "/api/v2/search/tags", scope="link").json()["scopes"]
    assert only == {"name": "link", "tags": ["why"]}
    of_worker = ask(stack, "/api/v2/search/tags", q='{ resource.service.name = "worker" }', scope="span").json()["scopes"]
    assert of_worker == [{"name": "span", "tags": ["a b", "nested", "text"]}]
    names = ask(stack, "/api/search/tags").json()["tagNames"]
    assert names == sorted({tag for scope, tags in scopes.items() if scope != "intrinsic" for tag in tags})


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("resource.service.name", [("string", "gateway"), ("string", "orders"), ("string", "worker")]),
        (".service.name", [("string", "gateway"), ("string", "orders"), ("string", "worker")]),
        ("span.http.response.status_code", [("int", "200"), ("int", "500")]),
        ("span.paid", [("bool", "false"), ("bool", "true")]),
        ("span.ratio", [("float", "0.5")]),
        ("span.tags", [("string", "green"), ("string", "red")]),
        ("status", [("keyword", "error"), ("keyword", "ok"), ("keyword", "unset")]),
        ("span:kind", [("keyword", "client"), ("keyword", "consumer"), ("keyword", "server")]),
        ("event:name", [("string", "exception"), ("string", "retry")]),
        ("rootServiceName", [("string", "gateway"), ("string", "orders")]),
        ("duration", []),
        ("span.nothing", []),
    ],
)
def test_a_tag_offers_its_values_with_their_types(stack: RunningStack, tag: str, values: list[tuple[str, str]]):
    answer = ask(stack, f"/api/v2/search/tag/{tag}/values").json()
    assert [(value["type"], value["value"]) for value in answer["tagValues"]] == values


def test_values_can_be_narrowed_by_a_query_and_a_time(stack: RunningStack):
    def values(**parameters: Any) -> list[str]:
        found = ask(stack, "/api/v2/search/tag/span.http.route/values", **parameters).json()["tagValues"]
        return [value["value"] for value in found]

    assert values() == ["/checkout", "/orders", "/orders/{pk}"]
    assert values(q='{ resource.service.name = "orders" }') == ["/orders", "/orders/{pk}"]
    assert values(q="{ status = error && duration > 900ms }") == ["/checkout"]
    assert values(q="{ half a query") == ["/checkout", "/orders", "/orders/{pk}"]
    old = ask(stack, "/api/search/tag/service.name/values").json()["tagValues"]
    assert old == ["gateway", "orders", "worker"]
    assert ask(stack, "/api/search/tag/status.code/values").json()["tagValues"] == ["error", "ok", "unset"]


# --- what a client asks first -----------------------------------------------------------------------------------------
def test_a_client_finds_out_who_answers(stack: RunningStack):
    assert ask(stack, "/api/echo").text == "echo\n"
    assert ask(stack, "/ready").text == "ready\n"
    build = ask(stack, "/api/status/buildinfo").json()
    assert build["version"].split(".")[0] == "3"
    assert json.dumps(build).count("otelkit") == 1
