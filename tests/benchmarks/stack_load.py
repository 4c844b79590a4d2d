"""Services that send to a stack, and people who ask it meanwhile: how much it takes in, and whether it has all of it afterwards."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, NumberDataPoint, Sum
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.backends import wait_until
from tests.stack.otlp_requests import key_values, metrics, span, traces

SPANS_A_SECOND, SAMPLES_A_SECOND = 11_000, 22_000
"""What is sent: a tenth above the goals."""
_SPANS, _PER_TRACE, _SAMPLES = 200, 10, 1_000
"""Of one request."""
_INSTANCES = 10
_PATH = 3
"""Place of ``url.path`` among the attributes of a span."""
_EACH_QUERY_S = 0.5
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Ingest:
    """What a stack took in while it was asked questions. Rates count until the last record can be read."""

    seconds: float
    spans_per_second: float
    samples_per_second: float
    refused: int
    """Requests that were to come again later; they were not sent again."""
    lost: int
    """Records that were taken, and are not there."""
    queries: int
    slowest_query_ms: float


class Connection:
    """Requests to a stack, one after the other."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)

    def get(self, path: str, **parameters: object) -> bytes:
        """The body of an answer. Raises RuntimeError where it is none of 200."""
        address = f"{path}?{urlencode(parameters)}" if parameters else path
        self._connection.request("GET", address)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{address} was answered {answer.status}: {body[:300].decode(errors='replace')}")
        return body

    def post(self, path: str, body: bytes = b"") -> int:
        """Send OTLP; the status of the answer."""
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"} if body else {}
        self._connection.request("POST", path, gzip.compress(body, 1) if body else None, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        """Let it go."""
        self._connection.close()


def ingest(url: str, seconds: float) -> Ingest:
    """Send for so long, with a thread for spans, one for samples and one for questions. Raises RuntimeError for an answer that is wrong."""
    began = time.monotonic()
    until = began + seconds
    spans = _Sender(url, "/v1/traces", _SPANS, SPANS_A_SECOND, _span_requests())
    samples = _Sender(url, "/v1/metrics", _SAMPLES, SAMPLES_A_SECOND, _sample_requests())
    asker = _Asker(url)
    threads = [threading.Thread(target=work.run, args=(until,)) for work in (spans, samples, asker)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for work in (spans, samples, asker):
        if work.failure is not None:
            raise RuntimeError("The load failed.") from work.failure
    with closing_connection(url) as connection:
        if (status := connection.post("/-/flush")) != 204:
            raise RuntimeError(f"The stack is behind: /-/flush was answered {status}")
        took = time.monotonic() - began
        there = _counted(connection, "sum(count_over_time(bench_sent_total[1h]))")
        calls = 0

        def are_whole() -> bool:
            nonlocal calls
            calls = _counted(connection, 'sum(traces_span_metrics_calls_total{service_name="bench"})')
            return calls >= spans.taken

        # Counts of spans come as samples every 15 s, so these are asked for until they are whole; what lacks then is lost.
        with suppress(TimeoutError):
            wait_until(are_whole, 20, "not every span is counted", every=0.5)
    return Ingest(
        seconds=seconds,
        spans_per_second=spans.taken / took,
        samples_per_second=samples.taken / took,
        refused=spans.refused + samples.refused,
        lost=abs(spans.taken - calls) + abs(samples.taken - there),
        queries=asker.answered,
        slowest_query_ms=asker.slowest_s * 1000,
    )


@contextmanager
def closing_connection(url: str) -> Iterator[Connection]:
    """A connection for a while."""
    connection = Connection(url)
    try:
        yield connection
    finally:
        connection.close()


def _counted(connection: Connection, query: str) -> int:
    result = json.loads(connection.get("/api/v1/query", query=query))["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0


@dataclass(slots=True)
class _Sender:
    """Sends requests so often that their records come at a rate, as far as the answers let it."""

    url: str
    path: str
    records: int
    rate: int
    requests: Iterator[bytes]
    taken: int = 0
    refused: int = 0
    failure: Exception | None = None

    def run(self, until: float) -> None:
        try:
            with closing_connection(self.url) as connection:
                due = time.monotonic()
                while due < until and time.monotonic() < until:
                    status = connection.post(self.path, next(self.requests))
                    if status == 200:
                        self.taken += self.records
                    elif status == 429:
                        self.refused += 1
                    else:
                        raise RuntimeError(f"{self.path} was answered {status}")
                    due += self.records / self.rate
                    time.sleep(max(0.0, due - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.failure = error


@dataclass(slots=True)
class _Asker:
    """Asks in turns what boards and people ask."""

    url: str
    answered: int = 0
    slowest_s: float = 0.0
    failure: Exception | None = None

    def run(self, until: float) -> None:
        try:
            with closing_connection(self.url) as connection:
                questions = _questions(connection)
                while time.monotonic() < until:
                    began = time.monotonic()
                    questions[self.answered % len(questions)]()
                    took = time.monotonic() - began
                    self.answered += 1
                    self.slowest_s = max(self.slowest_s, took)
                    time.sleep(max(0.0, _EACH_QUERY_S - took))
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.failure = error


def _questions(connection: Connection) -> list[Callable[[], bytes]]:
    def over_time(query: str) -> bytes:
        now = time.time()
        return connection.get("/api/v1/query_range", query=query, start=now - 900, end=now, step="15s")

    return [
        lambda: over_time("sum by (http_route) (rate(bench_sent_total[1m]))"),
        lambda: connection.get("/api/search", q="{ }", limit=50),
        lambda: over_time("histogram_quantile(0.95, sum by (le) (rate(traces_span_metrics_duration_seconds_bucket[1m])))"),
        lambda: connection.get("/api/search", q="{ status = error }", limit=20),
        lambda: connection.get("/"),
    ]


def _span_requests() -> Iterator[bytes]:
    """Traces of ten spans with ten attributes each; every span has ids, times and a path of its own."""
    chance = random.Random(4)
    template = traces(*(_span(place, chance) for place in range(_SPANS)), resource={"service.name": "bench", "host.name": "laptop"})
    spans = template.resource_spans[0].scope_spans[0].spans
    while True:
        now_ns = time.time_ns()
        for place, one in enumerate(spans):
            if place % _PER_TRACE == 0:
                trace_id, parent = chance.randbytes(16), b""
            one.trace_id, one.span_id, one.parent_span_id = trace_id, chance.randbytes(8), parent
            one.attributes[_PATH].value.string_value = f"/orders/{chance.randrange(10**9)}"
            one.start_time_unix_nano, one.end_time_unix_nano = now_ns - 20_000_000 + place, now_ns + place * 1_000
            parent = one.span_id
        yield ExportTraceServiceRequest.SerializeToString(template)


def _span(place: int, chance: random.Random) -> Span:
    attributes: dict[str, object] = {
        "http__request__method": "GET",
        "http__route": f"/orders/{chance.randrange(20)}/{{pk}}",
        "http__response__status_code": 200,
        "url__path": "",  # each span's own
        "url__scheme": "http",
        "server__address": "orders.internal",
        "server__port": 8000,
        "network__protocol__version": "1.1",
        "client__address": "10.0.0.17",
        "user_agent__original": "python-requests/2.32.5",
    }
    return span(
        "0" * 16,
        kind=Span.SPAN_KIND_SERVER if place % 2 == 0 else Span.SPAN_KIND_CLIENT,
        error="refused" if place == 0 else None,
        **attributes,
    )


def _sample_requests() -> Iterator[bytes]:
    """A thousand counters of one instance after the other."""
    chance = random.Random(5)
    templates = [
        metrics(
            Metric(
                name="bench.sent",
                sum=Sum(
                    data_points=[
                        NumberDataPoint(
                            attributes=key_values({"http.route": f"/r/{place % 50}", "http.request.method": "GET", "shard": place})
                        )
                        for place in range(_SAMPLES)
                    ],
                    aggregation_temporality=AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
                    is_monotonic=True,
                ),
            ),
            resource={"service.name": "bench", "service.instance.id": f"laptop:{instance}"},
        )
        for instance in range(_INSTANCES)
    ]
    while True:
        for template in templates:
            now_ns = time.time_ns()
            for point in template.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points:
                point.time_unix_nano = now_ns
                point.as_int += chance.randrange(9)
            yield ExportMetricsServiceRequest.SerializeToString(template)
