"""The stack as a process: how it starts, what it says, how it stops, and what survives a kill."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from websockets.sync.client import connect

from otelkit_stack.__main__ import main
from otelkit_stack.errors import StackError
from otelkit_stack.queries import Queries
from otelkit_stack.server import StackServer
from otelkit_stack.store import Store
from otelkit_stack.testing import running_stack
from tests.backends import wait_until
from tests.stack.otlp_requests import any_value, logs, post, span, traces

# Without this, a start line would wait in a buffer of the child.
ENVIRONMENT = os.environ | {"PYTHONUNBUFFERED": "1"}


@contextmanager
def stack_process(data: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``python -m otelkit_stack`` in a process of its own, and its URL."""
    command = [sys.executable, "-m", "otelkit_stack", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.match(r"otelkit stack: (http://127\.0\.0\.1:\d+)  \(page and OTLP/HTTP receiver; data in (.+)\)$", line)
            assert found, f"start line {line!r}"
            assert Path(found[2]) == data / "otelkit.db"
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_by_signal_is_clean_and_writes_what_was_acknowledged(tmp_path: Path, number: signal.Signals):
    """E1: Ctrl-C leaves nothing running, and nothing unsaid."""
    with stack_process(tmp_path / "data") as (process, url):
        assert post(url, traces(span("00f067aa0ba902b7", trace_id="a" * 32))).status_code == 200
        process.send_signal(number)
        rest, errors = process.communicate(timeout=15)
        assert (process.returncode, errors, rest) == (0, "", "otelkit stack: stopping\n")
    assert not (tmp_path / "data" / "otelkit.db-wal").exists()
    with Queries(tmp_path / "data") as reading:
        assert reading.trace("a" * 32) is not None


def test_those_who_follow_lines_may_leave_at_any_moment(tmp_path: Path):
    """E5: what is being read for them is read to its end, or SQLite would take the process with it."""
    body = [LogRecord(time_unix_nano=n, body=any_value(f"line {n}")) for n in range(1, 30_001)]
    with stack_process(tmp_path / "data") as (process, url):
        assert post(url, logs(*body, resource={"service.name": "a"})).status_code == 200
        httpx.post(f"{url}/-/flush").raise_for_status()
        # A text that no line has is looked for in all of them, by SQLite alone.
        query = quote('{service_name="a"} |= "no line has this"')
        for wait_ms in (0, 1, 2, 5, 10, 20, 40) * 5:
            with connect(f"{url.replace('http', 'ws')}/loki/api/v1/tail?query={query}"):
                time.sleep(wait_ms / 1000)  # waits for nothing: each leaves at another moment of the reading
        assert httpx.get(f"{url}/-/ready").text == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=15)
        assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_one_sentence_and_exit_code_1(tmp_path: Path):
    """E5."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "otelkit_stack", "--data", str(tmp_path), "--port", str(port)]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    sentence = f"otelkit stack: Port {port} is taken. Stop what listens there, or choose another port with --port (0 for any).\n"
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", sentence)


def test_a_database_in_use_is_one_sentence_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """E5."""
    with Store(tmp_path):
        assert main(["--data", str(tmp_path), "--port", "0"]) == 1
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert "is in use by another stack" in output.err


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_port_that_is_none_is_said(port: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--port", port])
    assert f"{port!r} is not a port" in capsys.readouterr().err


def test_a_failed_start_leaves_the_port_free(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Store(tmp_path), pytest.raises(StackError), StackServer(tmp_path, port):
        pass
    with StackServer(tmp_path, port) as server:
        assert server.url == f"http://127.0.0.1:{port}"


def test_the_stack_listens_on_the_loopback_address_alone(tmp_path: Path):
    """C6."""
    with running_stack(tmp_path) as stack:
        port = int(stack.url.rsplit(":", 1)[1])
        listening = [
            line.split()[1]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            if Path(table).exists()
            for line in Path(table).read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        ]
        if not listening:
            pytest.skip("needs Linux's /proc/net/tcp")
        assert listening == [f"0100007F:{port:04X}"]


def test_a_stopped_stack_leaves_no_thread(tmp_path: Path):
    with running_stack(tmp_path) as stack:
        httpx.get(stack.url + "/")
        assert [thread.name for thread in threading.enumerate() if thread.name.startswith("otelkit-stack")]
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("otelkit-stack")]


def test_a_kill_under_load_costs_at_most_the_last_moment_and_never_the_database(tmp_path: Path):
    """B3's bound: what was acknowledged more than a commit interval before the kill is on disk; the next stack goes on."""
    data = tmp_path / "data"
    acknowledged: list[str] = []
    settled: list[int] = []

    def load(url: str, process: subprocess.Popen[str]) -> None:
        number = 0
        while process.poll() is None:
            number += 1
            trace_id = f"{number:032x}"
            try:
                answer = post(url, traces(*(span(f"{n + 1:016x}", trace_id=trace_id, key="x" * 200) for n in range(50))))
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.append(trace_id)

    with stack_process(data) as (process, url):
        sender = threading.Thread(target=load, args=(url, process))
        sender.start()
        wait_until(lambda: len(acknowledged) >= 20, 30, "the load did not start", every=0.01)
        before_flush = len(acknowledged)
        assert httpx.post(url + "/-/flush").status_code == 204
        settled.append(before_flush)
        wait_until(lambda: len(acknowledged) >= before_flush + 20, 30, "the load did not go on", every=0.001)
        process.kill()
        process.wait()
        sender.join()

    with Queries(data) as reading:
        found = {trace_id: reading.trace(trace_id) for trace_id in acknowledged}
        # Batches are written whole, and in the order they came.
        assert {len(trace.spans) for trace in found.values() if trace} == {50}
        present = [trace is not None for trace in found.values()]
        assert present == sorted(present, reverse=True)
        assert sum(present) >= settled[0]
    connection = sqlite3.connect(data / "otelkit.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()

    with running_stack(data) as stack:
        post(stack.url, traces(span("00f067aa0ba902b7", trace_id="f" * 32)))
        stack.flush()
        assert stack.queries.trace("f" * 32) is not None
        assert stack.queries.trace(acknowledged[0]) is not None
