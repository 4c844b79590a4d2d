"""E4: receivers of real life, on real sockets. Each row is what is wrong with one, what the doctor finds, and the fix it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

from otelkit.doctor import Outcome
from tests.instrumentation.doctor.patients import ENDPOINT, SECRET, Patient
from tests.receivers import answering, certificate_for, hanging_receiver, receiver, refused_endpoint
from tests.rotel import rotel

SENT = {ENDPOINT: "{endpoint}"}
"""``{endpoint}`` stands for the receiver's address, here and in the fix of a row."""


# --- receivers ---


@contextmanager
def answers(status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"") -> Iterator[str]:
    with receiver(status, headers, body) as running:
        yield running.endpoint


def answers_with(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Callable[[], AbstractContextManager[str]]:
    return lambda: answers(status, headers, body)


def nobody() -> AbstractContextManager[str]:
    return nullcontext(refused_endpoint())


def nowhere() -> AbstractContextManager[str]:
    return nullcontext("http://collector.invalid:4318")


@contextmanager
def answers_at_its_paths_alone() -> Iterator[str]:
    """As a collector does."""
    known = {"/v1/traces", "/v1/metrics", "/v1/logs"}
    with receiver() as running:
        running.answer = lambda _: (200 if running.requests[-1][0] in known else 404, {}, b"")
        yield running.endpoint


@contextmanager
def redirects_to_https() -> Iterator[str]:
    with receiver() as running:
        running.answer = lambda _: (301, {"Location": running.endpoint.replace("http:", "https:") + running.requests[-1][0]}, b"")
        yield running.endpoint


@contextmanager
def answers_an_hour_behind() -> Iterator[str]:
    date = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    answer = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    with answering(lambda connection: connection.sendall(answer)) as endpoint:
        yield endpoint


def grpc() -> AbstractContextManager[str]:
    """The SETTINGS frame with which every HTTP/2 server begins."""
    return answering(lambda connection: connection.sendall(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00"))


REFUSES_A_SPAN = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="span is too old"))


class Row(NamedTuple):
    """One receiver."""

    wrong: str
    finding: str
    fix: str
    receiver: Callable[[], AbstractContextManager[str]]
    patient: Patient = Patient(environ=SENT)
    hop: str = "traces"
    outcome: Outcome = Outcome.FAIL
    code: int = 30


ROWS = [
    Row("nothing listens", "the connection was refused", "Start a collector there", nobody),
    Row(
        "it never answers",
        "it did not answer in time",
        "OTLP/HTTP usually has port 4318",
        hanging_receiver,
        Patient(environ=SENT, timeout=0.3),
    ),
    Row("the port of gRPC", "the exchange failed", "That is gRPC: port 4317 usually is, and OTLP/HTTP has 4318.", grpc),
    Row("a web page listens", "no OTLP receiver", "Another program listens there", answers_with(200, {"Content-Type": "text/html"}, b"hi")),
    Row("another program's 404", "it answered 404", "must be the collector's root", answers_with(404)),
    Row(
        "the path doubled",
        "/v1/traces/v1/traces: it answered 404",
        f"set {ENDPOINT} to {{endpoint}}",
        answers_at_its_paths_alone,
        Patient(environ={ENDPOINT: "{endpoint}/v1/traces"}),
    ),
    Row(
        "the path doubled, before anything is sent",
        "otelkit.W021",
        "Take the path away: {endpoint}",
        answers_at_its_paths_alone,
        Patient(environ={ENDPOINT: "{endpoint}/v1/traces"}),
        hop="checks",
        outcome=Outcome.WARN,
    ),
    Row(
        "a signal's address without path",
        "it answered 404",
        "write {endpoint}/v1/traces",
        answers_at_its_paths_alone,
        Patient(environ={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{endpoint}", ENDPOINT: "{endpoint}"}),
    ),
    Row(
        "a token is wanted",
        "it answered 401: who are you",
        "OTEL_EXPORTER_OTLP_HEADERS, like authorization=",
        answers_with(401, {}, b"who are you"),
    ),
    Row(
        "the token is wrong",
        "it answered 403",
        "does not accept authorization as OTEL_EXPORTER_OTLP_HEADERS has it",
        answers_with(403),
        Patient(environ={**SENT, "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}"}),
    ),
    Row(
        "a login page",
        "a redirect to http://sso.example/login",
        "a proxy for people stands before the collector",
        answers_with(302, {"Location": "http://sso.example/login"}),
    ),
    Row("https is insisted on", "a redirect to https://", f"Set {ENDPOINT} to https://", redirects_to_https),
    Row("overloaded", "it answered 503: busy", "takes nothing now", answers_with(503, {}, b"busy")),
    Row(
        "partial success",
        "refused 1 items: span is too old",
        "Compare the clocks",
        answers_with(200, {}, REFUSES_A_SPAN.SerializeToString()),
    ),
    Row(
        "a name that does not resolve",
        "its host name cannot be resolved",
        f'"collector.invalid" is not known here; a name of compose or Kubernetes is known only inside. Set {ENDPOINT}',
        nowhere,
    ),
    Row(
        "the proxy is not there",
        "by the proxy http://127.0.0.1:",
        "NO_PROXY=collector.example",
        nobody,
        Patient(environ={ENDPOINT: "http://collector.example:4318", "HTTP_PROXY": "{endpoint}"}),
    ),
    Row(
        "the proxy refuses",
        "it answered 403",
        "NO_PROXY=collector.example",
        answers_with(403),
        Patient(environ={ENDPOINT: "http://collector.example:4318", "HTTP_PROXY": "{endpoint}"}),
    ),
    Row("the receiver's clock is wrong", "behind this machine's", "NTP", answers_an_hour_behind, hop="clock", code=33),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.wrong)
def test_the_doctor_finds_what_is_wrong_with_a_receiver(row, monkeypatch):
    """E4."""
    with row.receiver() as endpoint:
        environ = {name: value.replace("{endpoint}", endpoint) for name, value in row.patient.environ.items()}
        visit = Patient(environ=environ, timeout=row.patient.timeout).visit(monkeypatch)
    said = visit.of(row.hop, row.outcome)
    assert row.finding in said, visit.hops
    assert row.fix.replace("{endpoint}", endpoint) in said, visit.hops
    assert visit.code == row.code, visit.hops
    assert visit.outcomes()["application"] == "pass", visit.hops
    visit.assert_every_complaint_has_a_fix_and_no_secret()


# --- TLS: these need a certificate ---


def test_https_to_a_port_without_tls(monkeypatch):
    """E4."""
    with receiver() as running:
        visit = Patient(environ={ENDPOINT: running.endpoint.replace("http:", "https:")}).visit(monkeypatch)
    assert "it does not speak TLS" in visit.of("traces")
    assert f"Set {ENDPOINT} to {running.endpoint}" in visit.of("traces")
    assert visit.code == 30


def test_http_to_a_port_with_tls(monkeypatch, tmp_path):
    """E4: what happened was only that the exchange failed, so the doctor looks at what listens."""
    with receiver(certificate=certificate_for("IP:127.0.0.1", tmp_path)) as running:
        visit = Patient(environ={ENDPOINT: running.endpoint.replace("https:", "http:")}).visit(monkeypatch)
    assert f"It speaks TLS: set {ENDPOINT} to {running.endpoint}." in visit.of("traces")
    assert visit.code == 30


def test_http_to_a_web_server_that_says_that_it_wants_https(monkeypatch):
    """E4: as nginx and Go's servers answer."""
    with answers(400, {}, b"Client sent an HTTP request to an HTTPS server.") as endpoint:
        visit = Patient(environ={ENDPOINT: endpoint}).visit(monkeypatch)
    assert f"Set {ENDPOINT} to {endpoint.replace('http:', 'https:')}." in visit.of("traces")


def test_a_self_signed_certificate(monkeypatch, tmp_path):
    """E4, and the fix works."""
    certificate = certificate_for("IP:127.0.0.1", tmp_path)
    with receiver(certificate=certificate) as running:
        visit = Patient(environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
        assert "its certificate was not accepted (self-signed certificate)" in visit.of("traces")
        assert "Set OTEL_EXPORTER_OTLP_CERTIFICATE to the file" in visit.of("traces")
        assert visit.code == 30
        mended = Patient(environ={ENDPOINT: running.endpoint, "OTEL_EXPORTER_OTLP_CERTIFICATE": certificate.path}).visit(monkeypatch)
    assert mended.code == 0


def test_a_certificate_for_another_name(monkeypatch, tmp_path):
    """E4."""
    certificate = certificate_for("DNS:collector.example", tmp_path)
    with receiver(certificate=certificate) as running:
        visit = Patient(environ={ENDPOINT: running.endpoint, "OTEL_EXPORTER_OTLP_CERTIFICATE": certificate.path}).visit(monkeypatch)
    assert "its certificate is for another name" in visit.of("traces")
    assert f"Set {ENDPOINT} to the name that the certificate has" in visit.of("traces")


def test_a_real_grpc_server_is_recognised(monkeypatch):
    """E4: the port beside the right one."""
    with rotel() as running:
        visit = Patient(environ={ENDPOINT: running.grpc_endpoint}).visit(monkeypatch)
        assert "That is gRPC" in visit.of("traces")
        assert Patient(environ={ENDPOINT: running.endpoint}).visit(monkeypatch).code == 0
