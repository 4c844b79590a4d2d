"""Sending: what every kind of receiver does to the application (nothing), to the exit (a bounded time) and to the books (they balance)."""

from __future__ import annotations

import gzip
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otelkit import startup
from otelkit.config import load
from otelkit.export.breaker import LONGEST_WAIT, Breaker, OncePerMinute
from otelkit.testing import capture
from tests.receivers import certificate_for, dripping_receiver, hanging_receiver, receiver, refused_endpoint

REFUSED_SPANS = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
).SerializeToString()


def start(endpoint: str, **export: object) -> startup.Runtime:
    settings = {
        "logs": {"exporters": ["otlp"]},
        "export": {"endpoint": endpoint, "timeout": 1.0, "shutdown_timeout": 1.0, "interval": 0.05, **export},
    }
    runtime = startup.start(load(settings, {}))
    assert runtime is not None
    return runtime


def books(runtime: startup.Runtime, signal_name: str) -> tuple[int, int, int, int]:
    created, exported, dropped, queued = runtime.exporter.accounts.of[signal_name].totals()
    return created, exported, sum(dropped.values()), queued


def assert_books_balance(runtime: startup.Runtime) -> None:
    """B2, when nothing is being sent: what the books call queued is what really waits."""
    waiting = {"traces": len(runtime.exporter._spans), "logs": len(runtime.exporter._logs), "metrics": 0}
    for signal_name, count in waiting.items():
        created, exported, dropped, queued = books(runtime, signal_name)
        assert created == exported + dropped + queued, signal_name
        assert queued == count, signal_name


@pytest.fixture(params=["refused", "hanging", "503", "429", "400", "302", "413", "unresolvable", "dripping", "untrusted"])
def broken_endpoint(request, tmp_path):
    if request.param == "refused":
        yield refused_endpoint()
    elif request.param == "unresolvable":
        yield "http://collector.invalid:4318"
    elif request.param in ("hanging", "dripping"):
        with hanging_receiver() if request.param == "hanging" else dripping_receiver() as endpoint:
            yield endpoint
    elif request.param == "untrusted":
        with receiver(certificate=certificate_for("IP:127.0.0.1", tmp_path)) as running:
            yield running.endpoint
    else:
        headers = {"429": {"Retry-After": "30"}, "302": {"Location": "http://127.0.0.1:1/"}}.get(request.param, {})
        with receiver(int(request.param), headers, b"no") as running:
            yield running.endpoint


def test_a_broken_receiver_costs_the_application_nothing(broken_endpoint, caplog):
    """B1, B2: answers are the same, exit is bounded, one warning, and every item is accounted for."""
    runtime = start(broken_endpoint)
    try:
        for number in range(40):
            assert Client().get(f"/items/{number}").content == b"ok"
        runtime.exporter.flush(2)
    finally:
        began = time.monotonic()
        startup.stop()
        elapsed = time.monotonic() - began
    assert elapsed < 3
    warnings = [record for record in caplog.records if record.name == "otelkit.export" and record.levelno >= logging.WARNING]
    assert len(warnings) == 1, [record.getMessage() for record in warnings]
    assert_books_balance(runtime)
    assert books(runtime, "traces")[:2] == (40, 0)
    # After the end nothing waits, or the sum would be right and the items gone.
    assert [books(runtime, signal_name)[3] for signal_name in ("traces", "metrics", "logs")] == [0, 0, 0]


def test_the_warning_names_the_address_and_the_way_on(caplog):
    endpoint = refused_endpoint()
    runtime = start(endpoint)
    Client().get("/")
    runtime.exporter.flush(2)
    startup.stop()
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "otelkit.export" and record.levelno == logging.WARNING]
    assert f"Telemetry does not reach {endpoint}/v1/traces: the connection was refused." in warning
    assert "`otelkit doctor`" in warning


def test_the_kits_own_lines_are_never_exported(caplog):
    """B8: a warning about exporting must not become something to export."""
    runtime = start(refused_endpoint())
    Client().get("/")
    for _ in range(3):
        runtime.exporter.flush(1)
    assert books(runtime, "logs")[0] == 1  # the access line
    startup.stop()


def test_what_the_http_library_says_while_sending_is_not_sent():
    """B8: with the root logger at DEBUG, urllib3 writes a line for each export."""
    with receiver() as running:
        settings = {"logs": {"exporters": ["otlp"], "level": "DEBUG"}, "export": {"endpoint": running.endpoint, "interval": 0.05}}
        runtime = startup.start(load(settings, {}))
        assert runtime is not None
        Client().get("/")
        for _ in range(5):
            assert runtime.exporter.flush(3)
        created = books(runtime, "logs")[0]
        for _ in range(5):
            assert runtime.exporter.flush(3)
        assert books(runtime, "logs")[0] == created
        startup.stop()


def test_what_waited_arrives_when_the_receiver_comes_back(caplog):
    """B2: nothing is lost while there is room in the queue."""
    with receiver(503) as running:
        runtime = start(running.endpoint)
        for number in range(30):
            Client().get(f"/items/{number}")
        runtime.exporter.flush(1)
        refused = len(running.requests)
        running.answer = lambda _: (200, {}, b"")
        assert runtime.exporter.flush(10)
        assert books(runtime, "traces") == (30, 30, 0, 0)
        startup.stop()
    assert len({span.span_id for span, _ in spans_in(running.requests[refused:])}) == 30


def test_a_signal_may_have_an_address_of_its_own_and_one_that_is_away_holds_up_no_other(caplog):
    with receiver() as running:
        runtime = start(refused_endpoint(), metrics_endpoint=f"{running.endpoint}/api/v1/otlp/v1/metrics")
        Client().get("/")
        runtime.exporter.flush(3)
        created, exported, _, _ = books(runtime, "metrics")
        assert created == exported > 0
        assert books(runtime, "traces") == (1, 0, 0, 1)
        startup.stop()
    assert {path for path, _, _ in running.requests} == {"/api/v1/otlp/v1/metrics"}


def test_a_partial_success_is_counted(caplog):
    """B1: the receiver took the batch but for two spans; those are lost, and said to be."""
    with receiver() as running:
        running.answer = lambda _: (200, {}, REFUSED_SPANS) if running.requests[-1][0] == "/v1/traces" else (200, {}, b"")
        runtime = start(running.endpoint)
        for number in range(5):
            Client().get(f"/items/{number}")
        runtime.exporter.flush(5)
        created, exported, dropped, queued = books(runtime, "traces")
        startup.stop()
    assert (created, queued) == (5, 0)
    assert dropped >= 2
    assert created == exported + dropped
    assert "too old" in caplog.text


def test_a_batch_that_is_too_large_is_halved_until_it_fits():
    with receiver() as running:
        running.answer = lambda _: (413, {}, b"") if len(gzip.decompress(running.requests[-1][2])) > 3000 else (200, {}, b"")
        runtime = start(running.endpoint, interval=10)
        for number in range(40):
            Client().get(f"/items/{number}")
        assert runtime.exporter.flush(10)
        assert books(runtime, "traces") == (40, 40, 0, 0)
        startup.stop()


def test_a_full_queue_gives_up_the_oldest_and_counts_it(caplog):
    """B2, B4: memory is bounded."""
    runtime = start(refused_endpoint(), queue_size=10)
    for number in range(25):
        Client().get(f"/items/{number}")
    created, exported, dropped, queued = books(runtime, "traces")
    assert (created, exported) == (25, 0)
    assert queued <= 10 + 10  # the queue, and at most one batch in the sender's hands
    assert created == dropped + queued
    startup.stop()


def test_requests_carry_what_otlp_asks_for():
    with receiver() as running:
        start(running.endpoint, headers={"Authorization": "Bearer abc"})
        Client().get("/")
        startup.stop()
    paths = {path for path, _, _ in running.requests}
    assert paths == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    for _, headers, body in running.requests:
        assert headers["Content-Type"] == "application/x-protobuf"
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Authorization"] == "Bearer abc"
        assert headers["User-Agent"].startswith("otelkit/")
        gzip.decompress(body)


def test_one_item_that_cannot_be_encoded_takes_no_other_with_it(monkeypatch, caplog):
    """B6."""
    from otelkit.export import exporter

    def encode(resource, items):
        if any(span.name == "GET /items/{pk}" for span in items):
            raise ValueError("planted")
        return real(resource, items)

    real = exporter.encode_spans
    monkeypatch.setattr(exporter, "encode_spans", encode)
    with capture() as telemetry:
        Client().get("/")
        Client().get("/items/1")
        Client().get("/livezoo")
        names = {span["name"] for span in telemetry.spans}
        assert names == {"GET /", "GET"}
        assert telemetry.runtime.exporter.accounts.of["traces"].totals()[2]["unencodable"] == 1


def test_metrics_that_cannot_be_encoded_are_counted_and_stop_nothing_else(monkeypatch, caplog):
    """B2, B6."""
    from otelkit.export import exporter

    def encode(*_: object) -> bytes:
        raise ValueError("planted")

    monkeypatch.setattr(exporter, "encode_metrics", encode)
    with receiver() as running:
        runtime = start(running.endpoint)
        Client().get("/")
        runtime.exporter.flush(5)
        startup.stop()
    assert books(runtime, "traces") == (1, 1, 0, 0)
    created, exported, _, _ = books(runtime, "metrics")
    assert created == runtime.exporter.accounts.of["metrics"].totals()[2]["unencodable"] > 0
    assert exported == 0
    assert_books_balance(runtime)
    assert "planted" in caplog.text


SCRIPT = textwrap.dedent("""
    import os, sys, time
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    django.setup()
    from otelkit import startup
    from otelkit.config import load
    runtime = startup.start(load({"logs": {"exporters": ["otlp"]}, "export": {"endpoint": sys.argv[1], "interval": 30.0}}, {}))
    from django.test import Client
    for number in range(100):
        Client().get(f"/items/{number}")
    print("ready", flush=True)
    if sys.argv[2] == "wait":
        time.sleep(30)
    if sys.argv[2] == "fork":
        child = os.fork()
        for number in range(10):
            Client().get(f"/items/{number}")
        if child:
            os.waitpid(child, 0)
""")


def run_script(endpoint: str, mode: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, endpoint, mode], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.stderr.read() if process.stderr else ""
    return process


def spans_in(requests) -> list:
    return [
        (span, {pair.key: pair.value.string_value or pair.value.int_value for pair in resource.resource.attributes})
        for path, _, body in requests
        if path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(gzip.decompress(body)).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@pytest.mark.parametrize("ending", ["exit", "SIGTERM"])
def test_leaving_loses_nothing_while_the_receiver_is_healthy(ending):
    """B3: a script that ends, and one that is asked to."""
    with receiver() as running:
        process = run_script(running.endpoint, "wait" if ending == "SIGTERM" else "exit")
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == (-signal.SIGTERM if ending == "SIGTERM" else 0)
        assert len(spans_in(running.requests)) == 100


def test_what_is_lost_at_the_end_is_said(caplog):
    """B1: a receiver that hangs is not known to be gone before the process is."""
    with hanging_receiver() as endpoint:
        start(endpoint, timeout=10.0, shutdown_timeout=0.2, interval=10)
        Client().get("/")
        startup.stop()
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "otelkit.export" and record.levelno == logging.WARNING]
    assert f"ends with 1 spans and 1 log lines unsent: {endpoint}/v1/traces did not take them within 0.2 seconds" in warning


@pytest.mark.parametrize("kind", ["refused", "hanging"])
def test_leaving_is_bounded_when_the_receiver_is_not_there(kind):
    """B1: at most 3 s, where the SDK takes 30."""
    with hanging_receiver() as hanging:
        process = run_script(refused_endpoint() if kind == "refused" else hanging, "exit")
        began = time.monotonic()
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - began < 10  # 3 s, and what a busy machine takes to end a process
    assert errors.count("Telemetry does not reach") <= 1
    assert "Traceback" not in errors


def test_a_child_process_sends_its_own_telemetry_and_nothing_twice():
    """B7: fork after start."""
    with receiver() as running:
        process = run_script(running.endpoint, "fork")
        process.communicate(timeout=30)
    spans = spans_in(running.requests)
    assert len(spans) == 120
    assert len({span.span_id for span, _ in spans}) == 120
    by_instance: dict[str, int] = {}
    for _, resource in spans:
        by_instance[resource["service.instance.id"]] = by_instance.get(resource["service.instance.id"], 0) + 1
    assert sorted(by_instance.values()) == [10, 110]
    assert os.getpid() not in {resource["process.pid"] for _, resource in spans}


def test_the_breaker_waits_longer_each_time_and_closes_on_success():
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    waits = []
    for _ in range(8):
        breaker.failed()
        waits.append(breaker.wait())
        now[0] += breaker.wait()
    assert all(0.5 * min(LONGEST_WAIT, 2**number) <= wait <= min(LONGEST_WAIT, 2**number) for number, wait in enumerate(waits))
    breaker.failed(retry_after=7)
    assert breaker.wait() == 7
    assert breaker.succeeded()
    assert breaker.wait() == 0
    assert not breaker.succeeded()


def test_the_breaker_warns_once_a_minute():
    now = [0.0]
    may_warn = OncePerMinute(clock=lambda: now[0])
    assert [may_warn(), may_warn()] == [True, False]
    now[0] = 61
    assert may_warn()
