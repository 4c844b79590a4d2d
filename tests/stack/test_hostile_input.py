"""Whatever arrives, the answer is a verdict, never a 500, and what comes next is stored."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator

import httpx
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit_stack.rows import is_stale
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import JSON, PROTOBUF, any_value, as_otlp_json, key_values, logs, metrics, post, span, traces

SEED_REQUESTS: list[tuple[str, Message]] = [
    ("/v1/traces", traces(span("00f067aa0ba902b7", start_ns=10**18, error="no", http__route="/", tags=["a", {"b": 1}]))),
    ("/v1/logs", logs(LogRecord(time_unix_nano=10**18, body=any_value({"a": [1.5, b"x"]}), trace_id=bytes(range(16))))),
    (
        "/v1/metrics",
        metrics(
            Metric(name="a.b", unit="1", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=10**18, as_double=1.5)])),
            Metric(
                name="h",
                unit="By/s",
                histogram=Histogram(
                    aggregation_temporality=2,
                    data_points=[HistogramDataPoint(time_unix_nano=10**18, count=3, explicit_bounds=[1, 2], bucket_counts=[1, 1, 1])],
                ),
            ),
        ),
    ),
]


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("hostile")) as stack:
        yield stack


def still_works(stack: RunningStack) -> bool:
    """Whether a fresh span gets through to the disk, and nothing was dropped on the way."""
    trace_id = random.randbytes(16).hex()
    post(stack.url, traces(span("00f067aa0ba902b7", trace_id=trace_id)))
    stack.flush()
    return stack.queries.trace(trace_id) is not None and stack.store.counts.dropped == 0


@pytest.fixture(scope="module")
def client(shared_stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_stack.url) as client:
        yield client


def send(client: httpx.Client, path: str, body: bytes, content_type: str, *, packed: bool = False) -> int:
    headers = {"Content-Type": content_type} | ({"Content-Encoding": "gzip"} if packed else {})
    return client.post(path, content=gzip.compress(body) if packed else body, headers=headers).status_code


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(("path", "message"), SEED_REQUESTS, ids=lambda value: value if isinstance(value, str) else "")
def test_mutated_requests_get_an_answer_and_never_stop_the_writer(
    shared_stack: RunningStack, client: httpx.Client, path: str, message: Message, content_type: str
):
    """Bytes of good requests changed, cut, doubled and inserted: most mutants still parse, with absurd content."""
    source = message.SerializeToString() if content_type == PROTOBUF else as_otlp_json(message)

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.randoms(use_true_random=False), st.integers(1, 8))
    def mutate_and_send(dice: random.Random, changes: int) -> None:
        body = bytearray(source)
        mutations: list[Callable[[int], object]] = [
            lambda at: body.__setitem__(at, dice.randrange(256)),
            lambda at: body.insert(at, dice.randrange(256)),
            lambda at: body.__delitem__(slice(at, at + dice.randrange(1, 9))),
            lambda at: body.extend(body[at : at + 64]),
        ]
        for _ in range(changes):
            if body:
                dice.choice(mutations)(dice.randrange(len(body)))
        assert send(client, path, bytes(body), content_type) in (200, 400)

    mutate_and_send()
    assert still_works(shared_stack)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=400), content_type=st.sampled_from([PROTOBUF, JSON]), packed=st.booleans(), path=st.sampled_from(SEED_REQUESTS)
)
def test_random_bytes_get_an_answer(
    shared_stack: RunningStack, client: httpx.Client, body: bytes, content_type: str, packed: bool, path: tuple[str, Message]
):
    assert send(client, path[0], body, content_type, packed=packed) in (200, 400)
    assert shared_stack.store.failure is None


HOSTILE_TEXTS = ["", "\0", "a\0b", "\r\n\x1b[31m", "\u2028", "'; DROP TABLE span; --", "<script>", "\U0001d54f" * 10_000, "\\u0000", "ﷺ"]


def test_hostile_texts_survive_unchanged_everywhere(stack: RunningStack):
    """NUL, control characters, quotes and markup in every field that holds text."""
    trace_ids = [f"{number:032x}" for number in range(1, len(HOSTILE_TEXTS) + 1)]
    for trace_id, text in zip(trace_ids, HOSTILE_TEXTS, strict=True):
        hostile = span("00f067aa0ba902b7", text, trace_id=trace_id, error=text, http__route=text, key=text)
        hostile.attributes.extend(key_values({text: 1}))
        assert post(stack.url, traces(hostile, resource={"service.name": text, text: text})).status_code == 200
        record = LogRecord(body=any_value(text), severity_text=text, event_name=text, trace_id=bytes.fromhex(trace_id))
        assert post(stack.url, logs(record, resource={"service.name": text})).status_code == 200
    stack.flush()
    for trace_id, text in zip(trace_ids, HOSTILE_TEXTS, strict=True):
        trace = stack.queries.trace(trace_id)
        assert trace is not None
        (stored,), (line,) = trace.spans, trace.logs
        assert (stored.name, stored.status_message, stored.attributes["key"], stored.attributes[text]) == (text, text, text, 1)
        assert stored.service == line.service == (text or "unknown_service")
        assert (line.body, line.event_name) == (text, text)


def test_numbers_at_their_limits_survive(stack: RunningStack):
    stale, nan = NumberDataPoint(time_unix_nano=10**18, flags=1), NumberDataPoint(time_unix_nano=10**18, as_double=float("nan"))
    data = [
        Metric(name="stale", gauge=Gauge(data_points=[stale])),
        Metric(name="nan", gauge=Gauge(data_points=[nan])),
        Metric(name="infinite", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=10**18, as_double=float("-inf"))])),
        Metric(name="huge", sum=Sum(aggregation_temporality=2, data_points=[NumberDataPoint(time_unix_nano=10**18, as_int=2**63 - 1)])),
        Metric(
            name="unsigned",
            histogram=Histogram(
                aggregation_temporality=2,
                data_points=[
                    HistogramDataPoint(
                        time_unix_nano=2**63 - 1, count=2**64 - 1, explicit_bounds=[float("nan"), 1e300], bucket_counts=[2**64 - 1] * 3
                    )
                ],
            ),
        ),
    ]
    assert post(stack.url, metrics(*data)).content == b""
    stack.flush()

    def value(name: str) -> float:
        return stack.queries.series(name)[0].samples[0][1]

    assert is_stale(value("stale"))
    assert value("nan") != value("nan")
    assert not is_stale(value("nan"))
    assert (value("infinite"), value("huge"), value("unsigned_count")) == (float("-inf"), 2.0**63, 2.0**64)


def test_a_bad_batch_is_dropped_alone_counted_and_logged(stack: RunningStack, caplog: pytest.LogCaptureFixture):
    """A value that SQLite cannot take must not cost the batches that wait beside it."""
    from otelkit_stack.receiver.traces import read_traces

    good, bad, also_good = (read_traces(traces(span("00f067aa0ba902b7", trace_id=f"{n:032x}")))[0] for n in (1, 2, 3))
    bad.spans[0] = bad.spans[0]._replace(start_ns=2**64)
    for batch in (good, bad, also_good):
        stack.store.submit(batch)
    stack.flush()
    assert [stack.queries.trace(str(n)) is not None for n in (1, 2, 3)] == [True, False, True]
    assert (stack.store.counts.written, stack.store.counts.dropped, stack.store.counts.queued) == (2, 1, 0)
    assert "A batch of 1 records was dropped: OverflowError" in caplog.text


def test_spans_that_are_one_anothers_parents_and_very_deep_chains_make_a_tree(stack: RunningStack):
    """Services decide about parents, so a page must survive rings and 5,000 levels."""
    ring = [span(f"{n + 1:016x}", parent=f"{(n + 1) % 3 + 1:016x}", trace_id="a" * 32, start_ns=n + 1) for n in range(3)]
    chain = [span(f"{n + 1:016x}", parent=f"{n:016x}" if n else "", trace_id="b" * 32, start_ns=n + 1) for n in range(5000)]
    for request in (ring, chain):
        assert post(stack.url, traces(*request)).content == b""
    stack.flush()
    for trace_id, spans in (("a" * 32, ring), ("b" * 32, chain)):
        trace = stack.queries.trace(trace_id)
        assert trace is not None
        (root,) = trace.tree()
        walked = [(depth, node.span.span_id) for depth, node in root.walk()]
        assert sorted(id_ for _, id_ in walked) == sorted(sent.span_id.hex() for sent in spans)
        assert [depth for depth, _ in walked] == list(range(len(spans)))
        assert httpx.get(f"{stack.url}/traces/{trace_id}").status_code == 200


def test_a_sender_that_hangs_up_does_no_harm(stack: RunningStack):
    import socket

    host, port = stack.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            )
    assert still_works(stack)


def test_an_enum_value_of_a_newer_protocol_is_shown_as_unspecified(stack: RunningStack):
    future = span("00f067aa0ba902b7")
    future.MergeFrom(Span(kind=77))  # type: ignore[arg-type]
    future.status.code = 99  # type: ignore[assignment]
    assert post(stack.url, traces(future)).content == b""
    stack.flush()
    trace = stack.queries.newest_traces()[0]
    stored = stack.queries.trace(trace.trace_id)
    assert stored is not None
    assert (stored.spans[0].kind, stored.spans[0].status) == ("UNSPECIFIED", "UNSET")
