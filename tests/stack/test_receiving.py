"""What services send is what the stack gives back, in every encoding; what it refuses, it names."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit_stack.records import LogRecord as StoredLog
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import JSON, PROTOBUF, SERVICE, TRACE_ID, any_value, key_values, logs, metrics, post, span, traces

START = 1_790_000_000_123_456_789
ENCODINGS = [(PROTOBUF, False), (PROTOBUF, True), (JSON, False), (JSON, True)]


def everything_of_a_span() -> Span:
    request = span(
        "00f067aa0ba902b7",
        parent="53995c3f42cd8ad8",
        start_ns=START,
        error="KeyError: 'sku'",
        http__route="/orders/{pk}",
        http__response__status_code=500,
        ratio=0.5,
        whole=1.0,
        flag=True,
        far=2**62,
        tags=["a", 1],
        nested={"inner": [1, {"deep": "ü"}]},
        raw=b"\x00\xff",
        empty=None,
        not_finite=float("nan"),
    )
    request.events.add(time_unix_nano=START + 5, name="exception", attributes=key_values({"exception.type": "KeyError"}))
    request.links.add(trace_id=bytes.fromhex(TRACE_ID), span_id=bytes(7) + b"\x09", attributes=key_values({"why": "batch"}))
    return request


@pytest.mark.parametrize(("content_type", "packed"), ENCODINGS)
def test_a_span_comes_back_as_it_was_sent_in_every_encoding(stack: RunningStack, content_type: str, packed: bool):
    answer = post(stack.url, traces(everything_of_a_span()), content_type, packed=packed)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    stack.flush()

    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    (stored,) = trace.spans
    assert (stored.trace_id, stored.span_id, stored.parent_span_id) == (TRACE_ID, "00f067aa0ba902b7", "53995c3f42cd8ad8")
    assert (stored.service, stored.name, stored.kind) == ("orders", "GET /orders/{pk}", "SERVER")
    assert (stored.start_ns, stored.end_ns, stored.duration_s) == (START, START + 250_000_000, 0.25)
    assert (stored.status, stored.status_message) == ("ERROR", "KeyError: 'sku'")
    assert stored.resource == SERVICE
    assert (stored.scope.name, stored.scope.version) == ("otelkit", "0.1")
    assert stored.attributes == {
        "http.route": "/orders/{pk}",
        "http.response.status_code": 500,
        "ratio": 0.5,
        "whole": 1.0,
        "flag": True,
        "far": 2**62,
        "tags": ["a", 1],
        "nested": {"inner": [1, {"deep": "ü"}]},
        "raw": "AP8=",
        "empty": None,
        "not_finite": "NaN",
    }
    assert isinstance(stored.attributes["whole"], float)
    (event,) = stored.events
    assert (event.time_ns, event.name, event.attributes) == (START + 5, "exception", {"exception.type": "KeyError"})
    (link,) = stored.links
    assert (link.trace_id, link.span_id, link.attributes) == (TRACE_ID, "0000000000000009", {"why": "batch"})


@pytest.mark.parametrize(("content_type", "packed"), ENCODINGS)
def test_a_log_line_comes_back_as_it_was_sent_in_every_encoding(stack: RunningStack, content_type: str, packed: bool):
    record = LogRecord(
        time_unix_nano=START,
        severity_number=9,
        severity_text="INFO",
        body=any_value("GET /orders/7 answered 200"),
        event_name="http.request",
        trace_id=bytes.fromhex(TRACE_ID),
        span_id=bytes.fromhex("00f067aa0ba902b7"),
        attributes=key_values({"duration_ms": 12.5}),
    )
    assert post(stack.url, logs(record), content_type, packed=packed).status_code == 200
    stack.flush()
    assert stack.queries.logs(trace_id=TRACE_ID) == (
        StoredLog(
            time_ns=START,
            severity="INFO",
            severity_number=9,
            body="GET /orders/7 answered 200",
            event_name="http.request",
            trace_id=TRACE_ID,
            span_id="00f067aa0ba902b7",
            service="orders",
            attributes={"duration_ms": 12.5},
            resource=SERVICE,
        ),
    )


def duration_histogram() -> Metric:
    point = HistogramDataPoint(
        time_unix_nano=START,
        count=6,
        sum=1.75,
        explicit_bounds=[0.005, 0.5, 1.0],
        bucket_counts=[1, 2, 2, 1],
        attributes=key_values({"http.route": "/orders/{pk}", "http.response.status_code": 200}),
    )
    point.exemplars.add(time_unix_nano=START, as_double=0.7, trace_id=bytes.fromhex(TRACE_ID), span_id=bytes.fromhex("00f067aa0ba902b7"))
    return Metric(name="http.server.request.duration", unit="s", histogram=Histogram(data_points=[point], aggregation_temporality=2))


@pytest.mark.parametrize(("content_type", "packed"), ENCODINGS)
def test_a_histogram_becomes_prometheus_series_in_every_encoding(stack: RunningStack, content_type: str, packed: bool):
    assert post(stack.url, metrics(duration_histogram()), content_type, packed=packed).status_code == 200
    stack.flush()
    labels = {
        "http_route": "/orders/{pk}",
        "http_response_status_code": "200",
        "job": "shop/orders",
        "instance": "laptop:0",
        "service_name": "orders",
        "service_namespace": "shop",
        "service_version": "1.2.3",
        "service_instance_id": "laptop:0",
    }
    at = START // 1_000_000 * 1_000_000  # Prometheus keeps milliseconds
    (count,) = stack.queries.series("http_server_request_duration_seconds_count")
    assert (count.labels, count.samples) == (labels, ((at, 6.0),))
    (total,) = stack.queries.series("http_server_request_duration_seconds_sum")
    assert total.samples == ((at, 1.75),)
    buckets = stack.queries.series("http_server_request_duration_seconds_bucket", service_name="orders")
    assert {series.labels["le"]: series.samples[0][1] for series in buckets} == {"0.005": 1.0, "0.5": 3.0, "1": 5.0, "+Inf": 6.0}
    assert stack.queries.series("http_server_request_duration_seconds_bucket", service_name="inventory") == ()

    (exemplar,) = stack.queries.exemplars(trace_id=TRACE_ID)
    assert (exemplar.metric, exemplar.labels["le"]) == ("http_server_request_duration_seconds_bucket", "1")
    assert (exemplar.value, exemplar.time_ns, exemplar.span_id) == (0.7, START, "00f067aa0ba902b7")

    (info,) = stack.queries.series("target_info")
    assert info.labels["process_pid"] == "4711"
    assert (info.labels["job"], info.labels["service_name"], info.samples) == ("shop/orders", "orders", ((at, 1.0),))


def test_a_request_sent_again_leaves_one_copy_of_spans_and_samples(stack: RunningStack):
    """An exporter that saw no answer retries."""
    for _ in range(3):
        post(stack.url, traces(everything_of_a_span()))
        post(stack.url, metrics(duration_histogram()))
    stack.flush()
    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    assert (len(trace.spans), len(trace.exemplars)) == (1, 1)
    (count,) = stack.queries.series("http_server_request_duration_seconds_count")
    assert len(count.samples) == 1


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_whole_success_says_nothing_more(stack: RunningStack, content_type: str):
    answer = post(stack.url, traces(span("00f067aa0ba902b7")), content_type)
    assert answer.content == (b"" if content_type == PROTOBUF else b"{}")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"trace_id": bytes(16)}, "trace_id"),
        ({"trace_id": b"short"}, "trace_id"),
        ({"span_id": bytes(8)}, "span_id"),
        ({"span_id": b""}, "span_id"),
        ({"parent_span_id": b"abc"}, "parent_span_id"),
        ({"end_time_unix_nano": 2**63}, "2262"),
    ],
)
def test_a_span_that_cannot_be_stored_is_refused_and_its_neighbour_kept(stack: RunningStack, bad: dict[str, Any], reason: str):
    good, broken = span("00f067aa0ba902b7"), span("00f067aa0ba902b8")
    for name, value in bad.items():
        setattr(broken, name, value)
    answer = ExportTraceServiceResponse.FromString(post(stack.url, traces(good, broken)).content)
    assert answer.partial_success.rejected_spans == 1
    assert reason in answer.partial_success.error_message
    stack.flush()
    trace = stack.queries.trace(TRACE_ID)
    assert trace is not None
    assert [stored.span_id for stored in trace.spans] == ["00f067aa0ba902b7"]


def test_partial_success_in_json_counts_in_strings(stack: RunningStack):
    """OTLP's JSON writes 64-bit numbers as strings."""
    answer = post(stack.url, traces(span("00f067aa0ba902b7"), span("0000000000000000")), JSON).json()
    assert answer["partialSuccess"]["rejectedSpans"] == "1"


def test_a_log_line_from_the_far_future_is_refused_and_its_neighbour_kept(stack: RunningStack):
    far, near = LogRecord(time_unix_nano=2**63), LogRecord(time_unix_nano=START, body=any_value({"a": 1}))
    answer = ExportLogsServiceResponse.FromString(post(stack.url, logs(far, near)).content)
    assert (answer.partial_success.rejected_log_records, "2262" in answer.partial_success.error_message) == (1, True)
    stack.flush()
    (line,) = stack.queries.logs()
    assert (line.body, line.severity, line.trace_id) == ('{"a":1}', "UNSPECIFIED", None)


def test_a_summary_keeps_its_quantiles(stack: RunningStack):
    quantile = SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1.5)
    point = SummaryDataPoint(time_unix_nano=START, count=4, sum=8.0, quantile_values=[quantile])
    post(stack.url, metrics(Metric(name="task.size", unit="By", summary=Summary(data_points=[point]))))
    stack.flush()
    (median,), (count,), (total,) = (stack.queries.series(f"task_size_bytes{suffix}") for suffix in ("", "_count", "_sum"))
    assert (median.labels["quantile"], median.samples[0][1], count.samples[0][1], total.samples[0][1]) == ("0.5", 1.5, 4.0, 8.0)


@pytest.mark.parametrize("scale", [-2, -1, 0, 1, 5, 20])
def test_an_exponential_histogram_becomes_a_classic_one_that_counts_each_value_where_it_belongs(stack: RunningStack, scale: int):
    """Bounds are powers of two at least as wide as the sender's, so no value is counted below its bound or lost."""
    values = [0.0, 0.3, 1.0, 1.5, 2.0, 7.0, -0.3, -5.0, 1000.0]
    point = ExponentialHistogramDataPoint(time_unix_nano=START, scale=scale, count=len(values), sum=sum(values), zero_count=1)
    for side, buckets in ((1, point.positive), (-1, point.negative)):
        indices = sorted(math.ceil(math.log2(side * value) * 2.0**scale) - 1 for value in values if side * value > 0)
        buckets.offset = indices[0]
        buckets.bucket_counts.extend(indices.count(index) for index in range(indices[0], indices[-1] + 1))
    histogram = ExponentialHistogram(data_points=[point], aggregation_temporality=2)
    post(stack.url, metrics(Metric(name="sizes", exponential_histogram=histogram)))
    stack.flush()
    buckets = {float(series.labels["le"]): series.samples[0][1] for series in stack.queries.series("sizes_bucket")}
    assert buckets.pop(math.inf) == len(values)
    assert len(buckets) > 2
    for bound, count in buckets.items():
        # A bucket of negative values does not hold its upper bound: it mirrors a positive one.
        assert count == sum(value < bound or (value == bound and bound >= 0) for value in values), bound


POINT = NumberDataPoint(time_unix_nano=START, as_int=3)


@pytest.mark.parametrize(
    ("metric", "refused", "reason"),
    [
        (
            Metric(name="exp", exponential_histogram=ExponentialHistogram(data_points=[ExponentialHistogramDataPoint()] * 2)),
            2,
            "not cumulative",
        ),
        (Metric(name="delta.sum", sum=Sum(data_points=[POINT], aggregation_temporality=1)), 1, "not cumulative"),
        (
            Metric(name="delta.hist", histogram=Histogram(data_points=[HistogramDataPoint()], aggregation_temporality=1)),
            1,
            "not cumulative",
        ),
        (Metric(name="...", gauge=Gauge(data_points=[POINT])), 1, "no letter or digit"),
        (
            Metric(name="bad.label", gauge=Gauge(data_points=[NumberDataPoint(attributes=key_values({"..": "x"}))])),
            1,
            "no letter or digit",
        ),
        (Metric(name="late", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=2**63)])), 1, "2262"),
        (Metric(name="hollow"), 0, "no data"),
    ],
    ids=lambda value: value.name if isinstance(value, Metric) else "",
)
def test_a_metric_that_cannot_be_stored_is_named_and_its_neighbour_kept(stack: RunningStack, metric: Metric, refused: int, reason: str):
    good = Metric(name="good", gauge=Gauge(data_points=[POINT]))
    answer = ExportMetricsServiceResponse.FromString(post(stack.url, metrics(metric, good)).content).partial_success
    assert answer.rejected_data_points == refused
    assert metric.name in answer.error_message
    assert reason in answer.error_message
    stack.flush()
    (series,) = stack.queries.series("good")
    assert series.samples[0][1] == 3.0


BROKEN: list[tuple[str, bytes]] = [
    (PROTOBUF, b"\xff\xff\xff"),
    (JSON, b"{"),
    (JSON, b"[]"),
    (JSON, b"null"),
    (JSON, b'{"resourceSpans": {}}'),
    (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}'),
    (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}'),
    (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": NaN}]}]}]}'),
    (JSON, b"[" * 100_000),
    (JSON, b'{"resourceSpans": ' * 50_000),
    (JSON, b"\xff\xfe"),
]


@pytest.mark.parametrize(("content_type", "body"), BROKEN, ids=lambda value: repr(value)[:30])
def test_a_broken_body_is_answered_with_400_and_a_status_in_its_own_encoding(stack: RunningStack, content_type: str, body: bytes):
    answer = httpx.post(stack.url + "/v1/traces", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == content_type
    code, message = (
        (answer.json()["code"], answer.json()["message"])
        if content_type == JSON
        else (Status.FromString(answer.content).code, Status.FromString(answer.content).message)
    )
    assert code == 3  # INVALID_ARGUMENT
    assert "not an OTLP request" in message


def test_unknown_fields_of_a_newer_protocol_are_ignored(stack: RunningStack):
    body = json.dumps({"resourceSpans": [], "futureField": {"a": [1]}}).encode()
    assert httpx.post(stack.url + "/v1/traces", content=body, headers={"Content-Type": JSON}).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "application/grpc"])
def test_another_content_type_is_415_and_says_what_to_send(stack: RunningStack, content_type: str):
    answer = httpx.post(stack.url + "/v1/logs", content=b"x", headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert "application/x-protobuf" in answer.json()["message"]


def test_a_content_type_with_a_charset_is_welcome(stack: RunningStack):
    answer = httpx.post(stack.url + "/v1/logs", content=b"{}", headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert answer.status_code == 200


def test_another_content_encoding_is_415(stack: RunningStack):
    headers = {"Content-Type": PROTOBUF, "Content-Encoding": "br"}
    assert httpx.post(stack.url + "/v1/logs", content=b"", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"rest", zlib.compress(b"{}")],
    ids=["plain", "cut", "trailing", "deflate"],
)
def test_broken_gzip_is_400(stack: RunningStack, body: bytes):
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    assert httpx.post(stack.url + "/v1/logs", content=body, headers=headers).status_code == 400


def test_gzip_in_several_members_is_one_body(stack: RunningStack):
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    assert httpx.post(stack.url + "/v1/logs", content=gzip.compress(b"{") + gzip.compress(b"}"), headers=headers).status_code == 200


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip bomb"])
def test_a_body_above_the_limit_is_413_packed_or_not_and_one_at_the_limit_passes(tmp_path: Path, packed: bool):
    limit = 100_000

    def body(size: int) -> bytes:
        return b"{" + b" " * (size - 2) + b"}"

    with running_stack(tmp_path, limit=limit) as stack:
        headers = {"Content-Type": JSON} | ({"Content-Encoding": "gzip"} if packed else {})

        def send(content: bytes) -> int:
            return httpx.post(stack.url + "/v1/traces", content=gzip.compress(content) if packed else content, headers=headers).status_code

        assert send(body(limit)) == 200
        assert send(body(limit + 1)) == 413
        assert send(body(200 * limit)) == 413


def test_a_body_without_a_length_is_limited_too(tmp_path: Path):
    def chunks() -> Any:
        for _ in range(100):
            yield b" " * 10_000

    with running_stack(tmp_path, limit=100_000) as stack:
        answer = httpx.post(stack.url + "/v1/traces", content=chunks(), headers={"Content-Type": JSON})
        assert (answer.status_code, "100000 bytes" in answer.json()["message"]) == (413, True)


def test_a_real_exporter_is_understood(stack: RunningStack):
    """opentelemetry-python's own OTLP exporter, gzip on."""
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": "sdk"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=stack.endpoint + "/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("parent") as parent, provider.get_tracer("test").start_as_current_span("child"):
        trace_id = f"{parent.get_span_context().trace_id:032x}"
    provider.shutdown()
    stack.flush()
    trace = stack.queries.trace(trace_id)
    assert trace is not None
    (root,) = trace.tree()
    assert (root.span.service, root.span.name, [child.span.name for child in root.children]) == ("sdk", "parent", ["child"])


def test_an_empty_request_is_a_success_in_every_signal(stack: RunningStack):
    empty: list[Message] = [traces(), metrics(), logs()]
    assert [post(stack.url, message).status_code for message in empty] == [200, 200, 200]
