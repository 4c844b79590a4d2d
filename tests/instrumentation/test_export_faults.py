"""B1, one fault at a time: what the sender makes of it, what it tells a person, and that the books agree with the receiver (B2)."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count

import pytest
from django.test import Client
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otelkit import startup
from otelkit.config import Export, load
from otelkit.errors import ConfigError
from otelkit.export.connection import proxy_for
from otelkit.export.reasons import reason
from otelkit.export.sender import Answer, HttpSender, Verdict
from otelkit.metrics.aggregator import Aggregator
from tests.instrumentation.test_export import assert_books_balance, books, start
from tests.receivers import certificate_for, dripping_receiver, receiver, refused_endpoint


def send(endpoint: str, timeout: float = 5.0, **export: object) -> Answer:
    return HttpSender(Export(endpoint=endpoint, **export)).send("traces", b"body", timeout)  # type: ignore[arg-type]


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_an_answer_that_drips_ends_at_the_timeout(beginning):
    """B1: no single read takes long, the whole would take for ever."""
    with dripping_receiver(beginning) as endpoint:
        began = time.monotonic()
        answer = send(endpoint, timeout=0.3)
        assert 0.2 < time.monotonic() - began < 3
    assert answer == Answer(Verdict.RETRY, "it did not answer in time")


def test_a_batch_whose_answer_drips_after_a_whole_head_is_not_sent_twice():
    """B1: the status says that the batch was taken; what lacks is at most an explanation."""
    with dripping_receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") as endpoint:
        began = time.monotonic()
        assert send(endpoint, timeout=0.3).verdict is Verdict.DELIVERED
        assert time.monotonic() - began < 3


def test_an_answer_without_end_is_not_read_to_its_end():
    """B1: a 2xx is a 2xx; its first 64 KB are enough."""
    with dripping_receiver(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000) as endpoint:
        assert send(endpoint, timeout=5).verdict is Verdict.DELIVERED


def test_a_resolver_that_never_answers_does_not_hold_up_the_exit(monkeypatch, caplog):
    """B1: getaddrinfo() knows no timeout. It is the export thread's to wait for; leaving is bounded."""
    released, asked = threading.Event(), threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        asked.set()
        released.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "planted")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    runtime = start("http://collector.example:4318", shutdown_timeout=0.5)
    thread = runtime.exporter._thread
    try:
        assert Client().get("/").content == b"ok"
        assert asked.wait(5)
        began = time.monotonic()
        startup.stop()
        assert time.monotonic() - began < 3
    finally:
        released.set()
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert books(runtime, "traces") == (1, 0, 1, 0)  # booked once, whatever the thread finds out later
    assert_books_balance(runtime)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True), 20), ("-5", 0)],
    ids=["seconds", "zero", "date", "negative"],
)
def test_the_receiver_says_when_to_come_again(header, seconds):
    """B1: Retry-After in both forms of RFC 9110."""
    with receiver(429, {"Retry-After": header() if callable(header) else header}) as running:
        answer = send(running.endpoint)
    assert answer.verdict is Verdict.RETRY
    assert answer.retry_after == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("header", ["soon", "Wed, 99 Nov 2026 00:00:00 GMT", "Fri, 01 Jan 99999 00:00:00 GMT", "1e999", "nan"])
def test_a_wish_that_makes_no_sense_raises_nothing(header):
    with receiver(503, {"Retry-After": header}) as running:
        assert send(running.endpoint).verdict is Verdict.RETRY


class Refusing:
    """A sender whose receiver asks for half a minute of peace."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        self.sent += 1
        return Answer(Verdict.RETRY, "planted", retry_after=30)


def test_nothing_is_sent_before_the_receiver_wants_it(caplog):
    """B1: the wish holds for the signal that it was told, until its time."""
    from otelkit.export.exporter import Exporter
    from tests.benchmarks.works import spans

    sender = Refusing()
    exporter = Exporter(load({"metrics": {"exporters": []}}, {}), {}, Aggregator(100), sender)
    for span in spans(0)[:3]:
        exporter.span(span)
    for _ in range(5):
        exporter._cycle(everything=False)
    assert sender.sent == 1
    assert 25 < exporter._breakers["traces"].wait() <= 30
    exporter._cycle(everything=True)  # a flush, or the end, does not wait
    assert sender.sent == 2
    assert len(exporter._spans) == 3


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_a_self_signed_certificate_is_refused_in_a_sentence_that_names_the_setting(tmp_path):
    """B1."""
    with receiver(certificate=certificate_for("IP:127.0.0.1", tmp_path)) as running:
        answer = send(running.endpoint)
    assert answer.verdict is Verdict.RETRY
    assert answer.detail == (
        'its certificate was not accepted (self-signed certificate); set OTELKIT["export"]["certificate"], or '
        "OTEL_EXPORTER_OTLP_CERTIFICATE, to the file (PEM) of the authority that signed it"
    )


def test_the_same_certificate_is_fine_when_the_setting_names_it(tmp_path):
    certificate = certificate_for("IP:127.0.0.1", tmp_path)
    config = load({}, {"OTEL_EXPORTER_OTLP_CERTIFICATE": certificate.path})
    with receiver(certificate=certificate) as running:
        assert send(running.endpoint, certificate=config.export.certificate).verdict is Verdict.DELIVERED
        assert len(running.requests) == 1


def test_a_certificate_for_another_name_says_so(tmp_path):
    certificate = certificate_for("DNS:collector.example", tmp_path)
    with receiver(certificate=certificate) as running:
        answer = send(running.endpoint, certificate=certificate.path)
    assert "its certificate is for another name" in answer.detail
    assert "127.0.0.1" in answer.detail


def test_an_expired_certificate_says_so():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: certificate has expired")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    assert reason(error) == "its certificate has expired; it has to be renewed there"


def test_tls_to_a_port_that_speaks_plain_http_says_so():
    with receiver() as running:
        answer = send(running.endpoint.replace("http:", "https:"))
    assert answer.detail == "it does not speak TLS; write http:// instead of https://, or use the port that does"


def test_a_certificate_file_without_certificate_says_so(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing here")
    with receiver(certificate=certificate_for("IP:127.0.0.1", tmp_path)) as running:
        answer = send(running.endpoint, certificate=str(tmp_path / "empty.pem"))
    assert answer.verdict is Verdict.RETRY
    assert "holds no certificate in PEM form" in answer.detail


def test_a_certificate_file_that_is_not_there_is_found_at_the_start(tmp_path):
    """A23."""
    with pytest.raises(ConfigError, match=r'OTELKIT\["export"\]\["certificate"\] must be a file that can be read; it is .*absent.pem'):
        load({"export": {"certificate": str(tmp_path / "absent.pem")}}, {})


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_environments_proxy_is_used_for_a_collector_elsewhere(no_proxies):
    with receiver() as proxy:
        no_proxies.setenv("http_proxy", proxy.endpoint.replace("//", "//ann:secret@"))
        assert send("http://collector.invalid:4318").verdict is Verdict.DELIVERED
    ((path, headers, _),) = proxy.requests
    assert path == "http://collector.invalid:4318/v1/traces"
    assert headers["proxy-authorization"].startswith("Basic ")


def test_no_proxy_stands_between_a_service_and_the_collector_beside_it(no_proxies):
    """A laptop or a pod with HTTP_PROXY set still reaches 127.0.0.1; other hosts are excepted by NO_PROXY."""
    no_proxies.setenv("https_proxy", "http://proxy.example:3128")
    no_proxies.setenv("all_proxy", "http://all.example:3128")
    no_proxies.setenv("no_proxy", "inside.example, 10.0.0.1")
    for direct in ("http://127.0.0.1:4318", "http://localhost:4318", "https://[::1]:4318", "https://a.inside.example", "http://10.0.0.1:1"):
        assert proxy_for(direct) is None, direct
    assert proxy_for("https://outside.example") == "http://proxy.example:3128"
    assert proxy_for("http://outside.example") == "http://all.example:3128"


def test_a_proxy_that_is_not_there_is_named_as_the_trouble(no_proxies):
    no_proxies.setenv("http_proxy", refused_endpoint())
    answer = send("http://collector.invalid:4318")
    assert answer.verdict is Verdict.RETRY
    assert answer.detail == (
        "the proxy that HTTP_PROXY or HTTPS_PROXY names does not help: the connection was refused; NO_PROXY takes a host out"
    )


# --- partial success --------------------------------------------------------------------------------------------------


def spans_of(body: bytes) -> int:
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def records_of(body: bytes) -> int:
    request = ExportLogsServiceRequest.FromString(gzip.decompress(body))
    return sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)


def points_of(body: bytes) -> int:
    request = ExportMetricsServiceRequest.FromString(gzip.decompress(body))
    metrics = [metric for resource in request.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
    return sum(len(getattr(metric, str(metric.WhichOneof("data"))).data_points) for metric in metrics)


REFUSALS = {
    "traces": ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="too old")),
    "logs": ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=1, error_message="too old")),
    "metrics": ExportMetricsServiceResponse(partial_success=ExportMetricsPartialSuccess(rejected_data_points=1, error_message="too old")),
}
COUNTS = {"traces": spans_of, "logs": records_of, "metrics": points_of}


@pytest.mark.parametrize("signal", COUNTS)
def test_a_partial_success_is_believed_and_said(signal, caplog):
    """B1, B2: the receiver's count and ours are the same, for each signal."""
    body = REFUSALS[signal].SerializeToString()
    with receiver() as running:
        running.answer = lambda _: (200, {}, body if running.requests[-1][0] == f"/v1/{signal}" else b"")
        runtime = start(running.endpoint)
        for number in range(5):
            Client().get(f"/items/{number}")
        assert runtime.exporter.flush(5)
        startup.stop()
        assert_books_balance(runtime)
        for name, count_of in COUNTS.items():
            bodies = [content for path, _, content in running.requests if path == f"/v1/{name}"]
            arrived = sum(map(count_of, bodies))
            created, exported, dropped, _ = books(runtime, name)
            refused = len(bodies) if name == signal else 0
            assert (created, exported, dropped) == (arrived, arrived - refused, refused), name
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "otelkit.export" and record.levelname == "WARNING"]
    assert re.search(rf"refused 1 of \d+ items of {signal}: too old\.$", warning)


@pytest.mark.parametrize(("refused", "booked"), [(2**40, (1, 0, 1, 0)), (-7, (1, 1, 0, 0))])
def test_a_receiver_that_refuses_what_cannot_be_does_not_unbalance_the_books(refused, booked, caplog):
    """B2."""
    lie = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=refused)).SerializeToString()
    with receiver(body=lie) as running:
        runtime = start(running.endpoint)
        Client().get("/")
        runtime.exporter.flush(5)
        startup.stop()
    assert books(runtime, "traces") == booked
    assert_books_balance(runtime)


def test_a_receiver_that_comes_and_goes_loses_nothing(caplog):
    """B1, B2: one request for traces in three is answered, the others with what can be tried again."""
    turns = count()

    def answer(_: int) -> tuple[int, dict[str, str], bytes]:
        is_unlucky = running.requests[-1][0] == "/v1/traces" and next(turns) % 3 != 2
        return (503, {"Retry-After": "0"}, b"") if is_unlucky else (200, {}, b"")

    with receiver() as running:
        running.answer = answer
        runtime = start(running.endpoint, batch_size=16)
        for number in range(200):
            Client().get(f"/items/{number}")
        for _ in range(200):
            if runtime.exporter.flush(5):
                break
        startup.stop()
    assert books(runtime, "traces") == (200, 200, 0, 0)
    assert_books_balance(runtime)
