"""Questions and their answers: traces as trees, RED, logs, series, and traces in Tempo's shape."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint, Sum
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit_stack.records import TraceNode
from otelkit_stack.red import quantile, red_of
from otelkit_stack.testing import RunningStack
from tests.stack.otlp_requests import SERVICE, TRACE_ID, any_value, logs, metrics, post, span, traces

ROOT, QUERY, CALL, REMOTE = "00f067aa0ba90001", "00f067aa0ba90002", "00f067aa0ba90003", "00f067aa0ba90004"
INVENTORY = {"service.name": "inventory"}
SECOND = 1_000_000_000
START = time.time_ns() - 5 * SECOND
CAPTURED = Path(__file__).parents[3] / "shared" / "captured"


def send_an_order(stack: RunningStack) -> None:
    """A request that asks the database, then another service, which fails; a line of each; an exemplar of the first."""
    client = Span.SPAN_KIND_CLIENT
    post(
        stack.url,
        traces(
            span(CALL, "GET", parent=ROOT, kind=client, start_ns=START + 2000, duration_s=0.5),
            span(QUERY, "SELECT orders_order", parent=ROOT, kind=client, start_ns=START + 1000, duration_s=0.1),
            span(ROOT, "POST /orders", start_ns=START, duration_s=1.0, http__route="/orders"),
        ),
    )
    # The other service's clock is behind, and its span outlives the caller's.
    post(
        stack.url,
        traces(
            span(REMOTE, "POST /reservations", parent=CALL, start_ns=START - SECOND, duration_s=3.0, error="out of stock"),
            resource=INVENTORY,
        ),
    )
    ids = {"trace_id": bytes.fromhex(TRACE_ID)}
    post(stack.url, logs(LogRecord(time_unix_nano=START + 5, body=any_value("second"), span_id=bytes.fromhex(ROOT), **ids)))
    post(stack.url, logs(LogRecord(time_unix_nano=START + 4, body=any_value("first"), severity_number=17, **ids), resource=INVENTORY))
    post(stack.url, logs(LogRecord(time_unix_nano=START + 6, body=any_value("of no trace"))))
    point = NumberDataPoint(time_unix_nano=START, as_int=3)
    point.exemplars.add(time_unix_nano=START, as_double=float("nan"), **ids)
    post(stack.url, metrics(Metric(name="orders", sum=Sum(data_points=[point], aggregation_temporality=2, is_monotonic=True))))
    stack.flush()


def shape(node: TraceNode) -> object:
    return {node.span.name: [shape(child) for child in node.children]}


def test_a_trace_holds_its_spans_lines_and_exemplars_whatever_order_they_came_in(stack: RunningStack):
    send_an_order(stack)
    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    assert [found.span_id for found in trace.spans] == [REMOTE, ROOT, QUERY, CALL]
    assert [line.body for line in trace.logs] == ["first", "second"]
    assert [(exemplar.metric, exemplar.labels["service_name"]) for exemplar in trace.exemplars] == [("orders_total", "orders")]
    assert trace.root is not None
    assert (trace.root.name, trace.duration_s) == ("POST /orders", 3.0)
    assert [shape(node) for node in trace.tree()] == [
        {"POST /orders": [{"SELECT orders_order": []}, {"GET": [{"POST /reservations": []}]}]}
    ]


def test_a_trace_id_may_be_written_in_capitals_and_without_its_zeros(stack: RunningStack):
    post(stack.url, traces(span(ROOT, trace_id="0" * 30 + "ab")))
    stack.flush()
    found = [stack.queries.trace(text) for text in ("AB", " ab ", "0" * 30 + "ab")]
    assert [trace.trace_id for trace in found if trace] == ["0" * 30 + "ab"] * 3
    assert [stack.queries.trace(text) for text in ("abc", "xyz", "", "a" * 33)] == [None] * 4


def test_spans_whose_parent_has_not_arrived_are_roots_of_their_own(stack: RunningStack):
    post(stack.url, traces(span(QUERY, "SELECT", parent=ROOT, start_ns=START), span(CALL, "GET", parent=ROOT, start_ns=START + 1)))
    stack.flush()
    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    assert [shape(node) for node in trace.tree()] == [{"SELECT": []}, {"GET": []}]
    assert trace.root is not None
    assert trace.root.name == "SELECT"


def test_lines_of_a_request_that_was_not_sampled_are_a_trace_without_spans(stack: RunningStack):
    post(stack.url, logs(LogRecord(body=any_value("alone"), trace_id=bytes.fromhex(TRACE_ID))))
    stack.flush()
    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    assert (trace.spans, trace.root, trace.tree(), trace.duration_s) == ((), None, (), 0.0)
    assert "alone" in httpx.get(f"{stack.url}/traces/{TRACE_ID}").text


def test_lists_of_traces_name_the_root_and_count_spans_and_errors(stack: RunningStack):
    send_an_order(stack)
    post(stack.url, traces(span(ROOT, "GET /", trace_id="b" * 32, start_ns=START + SECOND, duration_s=0.1)))
    post(stack.url, traces(span(ROOT, "GET /old", trace_id="c" * 32, start_ns=1, duration_s=100)))
    stack.flush()
    newest = stack.queries.newest_traces()
    assert [(trace.trace_id[0], trace.service, trace.name, trace.spans, trace.errors) for trace in newest] == [
        ("b", "orders", "GET /", 1, 0),
        ("0", "orders", "POST /orders", 4, 1),
        ("c", "orders", "GET /old", 1, 0),
    ]
    assert len(stack.queries.newest_traces(limit=1)) == 1
    slowest = stack.queries.slowest_trace(START)
    assert slowest is not None
    assert (slowest.trace_id, slowest.duration_s) == (TRACE_ID, 3.0)
    assert stack.queries.slowest_trace(START + 60 * SECOND) is None


def test_log_lines_are_found_by_service_time_and_number(stack: RunningStack):
    send_an_order(stack)
    assert [line.body for line in stack.queries.logs()] == ["of no trace", "second", "first"]
    assert [line.body for line in stack.queries.logs(limit=1)] == ["of no trace"]
    assert [line.body for line in stack.queries.logs(since_ns=START + 5)] == ["of no trace", "second"]
    assert [(line.body, line.severity) for line in stack.queries.logs(service="inventory")] == [("first", "ERROR")]
    assert stack.queries.logs(trace_id="no id") == ()


def test_services_are_those_that_sent_spans_or_lines(stack: RunningStack):
    assert stack.queries.services() == ()
    send_an_order(stack)
    post(stack.url, logs(LogRecord(), resource={}))
    stack.flush()
    assert stack.queries.services() == ("inventory", "orders", "unknown_service")


def test_red_counts_server_spans_of_the_window_alone(stack: RunningStack):
    """A slow query is not a slow request, and yesterday's errors are not today's."""
    served = [span(f"{n + 1:016x}", start_ns=START + n, duration_s=(n + 1) / 100, error="no" if n < 5 else None) for n in range(100)]
    others = [
        span("aa" * 8, kind=Span.SPAN_KIND_CLIENT, start_ns=START, duration_s=50),
        span("bb" * 8, start_ns=START - SECOND, duration_s=50, error="no"),
    ]
    post(stack.url, traces(*served, *others))
    post(stack.url, traces(span("cc" * 8, start_ns=START, duration_s=0.5), resource=INVENTORY))
    stack.flush()
    inventory, orders = stack.queries.red(START)
    assert (inventory.service, inventory.requests, inventory.errors, inventory.p95_s) == ("inventory", 1, 0, 0.5)
    assert (orders.service, orders.requests, orders.errors, orders.error_ratio) == ("orders", 100, 5, 0.05)
    assert orders.p50_s == pytest.approx(0.505)
    assert orders.p95_s == pytest.approx(0.9505)
    # Since START some five seconds have gone by, and the rate is per second of these.
    elapsed = (time.time_ns() - START) / 1e9
    assert orders.rate == pytest.approx(100 / elapsed, rel=0.2)
    assert stack.queries.red(START + 60 * SECOND) == ()


def test_a_young_stack_shows_the_rate_of_its_own_time_and_not_of_an_empty_window(stack: RunningStack):
    post(stack.url, traces(*(span(f"{n + 1:016x}", start_ns=time.time_ns() - SECOND) for n in range(500))))
    stack.flush()
    (orders,) = stack.queries.red(time.time_ns() - 3600 * SECOND)
    assert orders.rate > 10  # over the whole hour it would be 0.14


def test_quantiles_lie_between_neighbours():
    assert quantile([1, 2, 3], 0.5) == 2
    assert quantile([1, 2], 0.25) == 1.25
    assert quantile([7], 0.95) == 7
    line = red_of("a", 1, np.array([3_000_000_000, 1_000_000_000]), window_s=4)
    assert (line.rate, line.error_ratio, line.p50_s) == (0.5, 0.5, 2.0)


# --- over HTTP --------------------------------------------------------------------------------------------------------
def test_the_json_of_a_trace_holds_all_that_belongs_to_it(stack: RunningStack):
    send_an_order(stack)
    answer = httpx.get(f"{stack.url}/api/otelkit/v1/traces/{TRACE_ID}").json()
    assert answer["trace_id"] == TRACE_ID
    assert [found["name"] for found in answer["spans"]] == ["POST /reservations", "POST /orders", "SELECT orders_order", "GET"]
    assert answer["spans"][1]["resource"] == SERVICE
    assert [line["body"] for line in answer["logs"]] == ["first", "second"]
    assert answer["exemplars"][0]["value"] == "NaN"  # JSON has no number for it


def test_an_unknown_trace_is_404_with_a_reason(stack: RunningStack):
    answer = httpx.get(f"{stack.url}/api/otelkit/v1/traces/{TRACE_ID}")
    assert (answer.status_code, TRACE_ID in answer.json()["error"]) == (404, True)


def test_a_trace_has_tempos_shape(stack: RunningStack):
    send_an_order(stack)
    answer = httpx.get(f"{stack.url}/api/v2/traces/{TRACE_ID}").json()
    inventory, orders = answer["trace"]["resourceSpans"]
    assert inventory["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "inventory"}}]
    assert {"key": "process.pid", "value": {"intValue": "4711"}} in orders["resource"]["attributes"]
    (of_scope,) = inventory["scopeSpans"]
    assert of_scope == {
        "scope": {"name": "otelkit", "version": "0.1"},
        "spans": [
            {
                "traceId": "CvdlGRbNQ92ESOshHIAxnA==",
                "spanId": "APBnqgupAAQ=",
                "parentSpanId": "APBnqgupAAM=",
                "name": "POST /reservations",
                "kind": "SPAN_KIND_SERVER",
                "startTimeUnixNano": str(START - SECOND),
                "endTimeUnixNano": str(START + 2 * SECOND),
                "status": {"message": "out of stock", "code": "STATUS_CODE_ERROR"},
            }
        ],
    }


def test_unknown_and_broken_ids_are_answered_as_tempo_answers_them(stack: RunningStack):
    unknown = httpx.get(f"{stack.url}/api/v2/traces/{TRACE_ID}")
    assert (unknown.status_code, unknown.json()) == (200, {"trace": {}, "metrics": {}})
    broken = httpx.get(f"{stack.url}/api/v2/traces/xyz")
    assert (broken.status_code, broken.headers["content-type"]) == (400, "text/plain; charset=utf-8")


def test_a_captured_trace_of_a_real_tempo_comes_back_the_same(stack: RunningStack):
    """What a real Tempo answered is sent to the stack as OTLP; the stack's answer has the same content."""
    path = CAPTURED / "tempo_trace_v2.json"
    if not path.exists():
        pytest.skip("needs the captured answers beside the project, in ../shared/captured")
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    captured = json.loads(path.read_text())["body"]["trace"]
    request = json_format.ParseDict(captured, ExportTraceServiceRequest())  # as protobuf's JSON, ids in base64
    assert post(stack.url, request).content == b""
    stack.flush()
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    answer = httpx.get(f"{stack.url}/api/v2/traces/{trace_id}").json()["trace"]

    def spans_of(trace: Any) -> dict[str, Any]:
        return {
            found["spanId"]: {"resource": of_resource["resource"], "scope": of_scope["scope"], "span": found}
            for of_resource in trace["resourceSpans"]
            for of_scope in of_resource["scopeSpans"]
            for found in of_scope["spans"]
        }

    def sorted_attributes(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sorted_attributes(item) for key, item in value.items()}
        if isinstance(value, list):
            return sorted(map(sorted_attributes, value), key=json.dumps)
        return value

    assert sorted_attributes(spans_of(answer)) == sorted_attributes(spans_of(captured))
