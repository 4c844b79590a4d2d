"""OTLP over gRPC: the same requests by another road, to a receiver that grpcio made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from otelkit import startup
from otelkit.config import Export, load
from otelkit.errors import ConfigError
from otelkit.export.sender import Answer, HttpSender, Verdict
from otelkit.export.senders import SplitSender, sender_of
from tests.backends import free_port, program, wait_until
from tests.receivers import certificate_for, hanging_receiver, receiver, refused_endpoint

grpc = pytest.importorskip("grpc", reason="grpcio, the extra `grpc`, is not installed")

from otelkit.export.grpc_sender import GrpcSender  # noqa: E402  (needs grpcio)
from tests.grpc_receivers import GrpcReceiver, grpc_receiver  # noqa: E402

SIGNALS = ("traces", "metrics", "logs")


@pytest.fixture
def running() -> Iterator[GrpcReceiver]:
    with grpc_receiver() as running:
        yield running


def send(export: Export, signal: str = "traces", body: bytes = b"", timeout: float = 5) -> Answer:
    sender = GrpcSender(export)
    try:
        return sender.send(signal, body, timeout)
    finally:
        sender.close()


def abort(code: Any, words: str = "", **trailing: bytes) -> Any:
    def answer(signal: str, context: Any) -> Any:
        context.set_trailing_metadata(tuple((name.replace("_", "-"), value) for name, value in trailing.items()))
        context.abort(code, words)

    return answer


def test_spans_metrics_and_log_lines_arrive_by_grpc(running: GrpcReceiver):
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc: every signal, in the requests that the HTTP road sends."""
    config = load(
        {"logs": {"exporters": ["otlp"]}, "service": {"name": "orders"}},
        {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_ENDPOINT": running.endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": "X-Token=abc",
        },
    )
    runtime = startup.start(config)
    assert runtime is not None
    try:
        Client().get("/queries/1")
        assert runtime.exporter.flush(10)
    finally:
        startup.stop()
    (resource,) = running.requests["traces"][0].resource_spans
    spans = [span.name for scope in resource.scope_spans for span in scope.spans]
    assert "GET /queries/{times}" in spans
    assert {"service.name": "orders"}.items() <= {pair.key: pair.value.string_value for pair in resource.resource.attributes}.items()
    metrics = [metric.name for scope in running.requests["metrics"][0].resource_metrics[0].scope_metrics for metric in scope.metrics]
    assert "http.server.request.duration" in metrics
    assert running.requests["logs"][0].resource_logs
    assert all(metadata["x-token"] == "abc" and metadata["user-agent"].startswith("otelkit/") for metadata in running.metadata)
    for account in runtime.exporter.accounts.of.values():
        created, exported, dropped, queued = account.totals()
        assert (created, sum(dropped.values()), queued) == (exported, 0, 0)


def test_a_signal_may_have_a_protocol_of_its_own(running: GrpcReceiver):
    with receiver() as by_http:
        export = load(
            {},
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": by_http.endpoint,
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": running.endpoint,
            },
        ).export
        sender = sender_of(export)
        assert isinstance(sender, SplitSender)
        assert [sender.send(signal, b"", 5).verdict for signal in SIGNALS] == [Verdict.DELIVERED] * 3
        sender.reset()
        assert sender.send("traces", b"", 5).verdict is Verdict.DELIVERED
        sender.close()
    assert [path for path, _, _ in by_http.requests] == ["/v1/metrics", "/v1/logs"]
    assert {signal: len(requests) for signal, requests in running.requests.items()} == {"traces": 2, "metrics": 0, "logs": 0}


@pytest.mark.parametrize(
    ("environ", "addresses"),
    [
        ({"PROTOCOL": "grpc"}, ["http://127.0.0.1:4317"] * 3),
        ({"PROTOCOL": "grpc", "ENDPOINT": "http://collector:9999"}, ["http://collector:9999"] * 3),
        ({"TRACES_PROTOCOL": "grpc"}, ["http://127.0.0.1:4317", "http://127.0.0.1:4318/v1/metrics", "http://127.0.0.1:4318/v1/logs"]),
        (
            {"PROTOCOL": "grpc", "LOGS_PROTOCOL": "http/protobuf"},
            ["http://127.0.0.1:4317", "http://127.0.0.1:4317", "http://127.0.0.1:4318/v1/logs"],
        ),
        ({"PROTOCOL": "http/protobuf"}, [f"http://127.0.0.1:4318/v1/{signal}" for signal in SIGNALS]),
    ],
)
def test_where_nobody_says_which_port_it_is_the_usual_one(environ: dict[str, str], addresses: list[str]):
    export = load({}, {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environ.items()}).export
    assert [export.receiver(signal).address for signal in SIGNALS] == addresses


def test_without_grpcio_the_start_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otelkit.config.loading.is_installed", lambda name: False)
    with pytest.raises(ConfigError) as raised:
        load({}, {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"})
    assert raised.value.problems == (
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL is grpc, and grpcio is not installed.\nInstall it with:  pip install 'otelkit[grpc]'",
    )
    assert isinstance(sender_of(load({}, {}).export), HttpSender), "over HTTP nobody needs it"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("CANCELLED", Verdict.RETRY),
        ("DEADLINE_EXCEEDED", Verdict.RETRY),
        ("ABORTED", Verdict.RETRY),
        ("OUT_OF_RANGE", Verdict.RETRY),
        ("UNAVAILABLE", Verdict.RETRY),
        ("DATA_LOSS", Verdict.RETRY),
        ("RESOURCE_EXHAUSTED", Verdict.REJECTED),
        ("UNKNOWN", Verdict.REJECTED),
        ("INVALID_ARGUMENT", Verdict.REJECTED),
        ("NOT_FOUND", Verdict.REJECTED),
        ("PERMISSION_DENIED", Verdict.REJECTED),
        ("UNAUTHENTICATED", Verdict.REJECTED),
        ("FAILED_PRECONDITION", Verdict.REJECTED),
        ("UNIMPLEMENTED", Verdict.REJECTED),
        ("INTERNAL", Verdict.REJECTED),
    ],
)
def test_each_status_is_taken_as_the_protocol_says(running: GrpcReceiver, name: str, verdict: Verdict):
    """B1. Source: OTLP, "Failures"."""
    running.answer = abort(grpc.StatusCode[name], "the receiver's words")
    answer = send(Export(endpoint=running.endpoint))
    assert answer.verdict is verdict
    assert "the receiver's words" in answer.detail or name == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(("name", "verdict"), [("UNAVAILABLE", Verdict.RETRY), ("RESOURCE_EXHAUSTED", Verdict.RETRY)])
def test_a_receiver_may_say_when_to_come_again(running: GrpcReceiver, name: str, verdict: Verdict):
    """B1: google.rpc.RetryInfo is gRPC's Retry-After, and makes RESOURCE_EXHAUSTED one that may be tried again."""
    status_pb2 = pytest.importorskip("google.rpc.status_pb2", reason="googleapis-common-protos is not installed")
    from google.protobuf.duration_pb2 import Duration
    from google.rpc.error_details_pb2 import DebugInfo, RetryInfo

    status = status_pb2.Status(code=grpc.StatusCode[name].value[0], message="full")
    status.details.add().Pack(DebugInfo(detail="something else"))
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=7, nanos=500_000_000)))
    running.answer = abort(grpc.StatusCode[name], "full", grpc_status_details_bin=status.SerializeToString())
    answer = send(Export(endpoint=running.endpoint))
    assert (answer.verdict, answer.retry_after) == (verdict, 7.5)


@pytest.mark.parametrize("details", [b"", b"\xff", b"\x1a\xff\x01", b"\x1a\x02\x0a\x7f", b"\x0b", b"\x80" * 20, bytes(range(256))])
def test_details_that_are_none_are_no_reason_to_fail(running: GrpcReceiver, details: bytes):
    """B5: whatever the receiver sends."""
    running.answer = abort(grpc.StatusCode.UNAVAILABLE, "x", grpc_status_details_bin=details)
    answer = send(Export(endpoint=running.endpoint))
    assert (answer.verdict, answer.retry_after) == (Verdict.RETRY, None)


def test_a_message_beyond_the_receivers_limit_is_too_large_and_not_lost():
    """gRPC receivers take 4 MB; the exporter halves what is larger."""
    with grpc_receiver() as running:
        answer = send(Export(endpoint=running.endpoint, compression="none"), body=b"\x0a" + b"\x80\x80\x80\x02" + b"\x12" * 4_194_400)
    assert answer.verdict is Verdict.TOO_LARGE


def test_partial_success_is_counted(running: GrpcReceiver):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

    refusal = ExportLogsPartialSuccess(rejected_log_records=3, error_message="too old")
    running.answer = lambda signal, context: ExportLogsServiceResponse(partial_success=refusal)
    answer = send(Export(endpoint=running.endpoint), "logs")
    assert (answer.verdict, answer.rejected_items, answer.detail) == (Verdict.DELIVERED, 3, "too old")


@pytest.mark.parametrize("fault", ["refused", "hanging", "http"])
def test_a_receiver_that_is_not_there_is_named(fault: str):
    """B1."""
    if fault == "refused":
        answer = send(Export(endpoint=refused_endpoint()), timeout=1)
        assert answer.detail == "the connection was refused"
    elif fault == "hanging":
        with hanging_receiver() as endpoint:
            answer = send(Export(endpoint=endpoint), timeout=0.5)
        assert answer.detail == "it did not answer in time"
    else:
        with receiver() as by_http:
            answer = send(Export(endpoint=by_http.endpoint), timeout=1)
    assert answer.verdict is Verdict.RETRY


def test_a_receiver_that_comes_back_is_found_at_the_next_attempt():
    """Our breaker decides when to try; gRPC's own wait between two connections is shorter than the breaker's shortest."""
    endpoint = refused_endpoint()
    sender = GrpcSender(Export(endpoint=endpoint))
    assert sender.send("traces", b"", 1).verdict is Verdict.RETRY
    with grpc_receiver(port=int(endpoint.rpartition(":")[2])):
        wait_until(lambda: sender.send("traces", b"", 1).verdict is Verdict.DELIVERED, 10, "the receiver is not found again")
    sender.close()


def test_tls_and_a_certificate_of_ours(tmp_path: Path):
    """mTLS; and where the authority is not known, the warning asks about it."""
    theirs, ours = (certificate_for("IP:127.0.0.1", tmp_path / who) for who in ("receiver", "service"))
    with grpc_receiver(certificate=theirs, clients=ours) as running:
        known = {"endpoint": running.endpoint, "certificate": theirs.path}
        assert send(Export(**known, client_certificate=ours.path, client_key=ours.key)).verdict is Verdict.DELIVERED
        assert send(Export(**known), timeout=2).verdict is Verdict.RETRY
        stranger = send(Export(endpoint=running.endpoint), timeout=2)
        assert stranger.verdict is Verdict.RETRY
        assert "is its certificate for this name and signed by a known authority?" in stranger.detail or "in time" in stranger.detail


FORKING = """
import os, sys
import tests.conftest
from django.test import Client
from otelkit import startup
from otelkit.config import load

environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": sys.argv[1]}
runtime = startup.start(load({"export": {"interval": 30.0}, "logs": {"exporters": []}}, environ))
if sys.argv[2] == "sent before":
    Client().get("/items/1")
    assert runtime.exporter.flush(10)
pid = os.fork()
if pid == 0:
    Client().get("/items/2")
    startup.stop()
    os._exit(0)
_, status = os.waitpid(pid, 0)
Client().get("/items/3")
startup.stop()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("parent", ["silent before", "sent before"])
def test_a_forked_worker_sends_by_a_connection_of_its_own(running: GrpcReceiver, parent: str):
    """B7, B3: as gunicorn --preload forks; and the process ends by itself."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING, running.endpoint, parent], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    paths = [
        attribute.value.string_value
        for request in running.requests["traces"]
        for scope in request.resource_spans[0].scope_spans
        for span in scope.spans
        for attribute in span.attributes
        if attribute.key == "url.path"
    ]
    assert sorted(paths) == (["/items/1"] if parent == "sent before" else []) + ["/items/2", "/items/3"]


COLLECTOR = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{otlp_http: {{endpoint: "{onward}", compression: none, sending_queue: {{enabled: false}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
    metrics: {{receivers: [otlp], exporters: [otlp_http]}}
    logs: {{receivers: [otlp], exporters: [otlp_http]}}
"""


@pytest.mark.backends
def test_a_real_collector_takes_every_signal_by_grpc(tmp_path: Path):
    """The Collector passes on to a receiver of the test what it understood."""
    collector, port = program("otelcol-contrib"), free_port()
    with receiver() as onward:
        (tmp_path / "config.yaml").write_text(COLLECTOR.format(port=port, onward=onward.endpoint))
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen([collector, f"--config={tmp_path / 'config.yaml'}"], stdout=log, stderr=log)
        try:
            export = Export(protocol="grpc", endpoint=f"http://127.0.0.1:{port}")
            wait_until(lambda: send(export).verdict is Verdict.DELIVERED, 30, "the Collector takes nothing")
            runtime = startup.start(
                load({"logs": {"exporters": ["otlp"]}, "export": {"protocol": "grpc", "endpoint": export.endpoint}}, {})
            )
            assert runtime is not None
            try:
                Client().get("/queries/1")
                assert runtime.exporter.flush(10)
            finally:
                startup.stop()
            for account in runtime.exporter.accounts.of.values():
                created, exported, _, _ = account.totals()
                assert created == exported > 0, (tmp_path / "log").read_text()
        finally:
            process.terminate()
            process.wait(15)
    bodies = {path: body for path, _, body in onward.requests if body}
    assert set(bodies) == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert b"GET /queries/{times}" in bodies["/v1/traces"]
