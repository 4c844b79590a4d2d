"""rotel as a receiver: an OpenTelemetry collector by other people, in Rust, that comes as a wheel."""

from __future__ import annotations

import importlib.util
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_STARTS_WITHIN = 20.0
"""Seconds."""


@dataclass
class Rotel:
    """A running one; it writes a line for each request that it understood."""

    endpoint: str
    log: Path
    grpc_endpoint: str

    def spans(self) -> int:
        """Spans received so far."""
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text())
        return sum(int(count) for count in re.findall(r"Received traces\..* spans=(\d+)", plain))

    def wait_for_spans(self, count: int, timeout: float = 20) -> None:
        """Until exactly that many have arrived. Fails after ``timeout`` seconds, or when there are more."""
        given_up = time.monotonic() + timeout
        while self.spans() < count and time.monotonic() < given_up:
            time.sleep(0.05)
        assert self.spans() == count


@contextmanager
def rotel() -> Iterator[Rotel]:
    """Runs rotel on free ports of 127.0.0.1. Skips the test where it is not installed."""
    found = importlib.util.find_spec("rotel")
    agent = Path(str(found.origin)).parent / "rotel-agent" if found else None
    if agent is None or not agent.exists():
        pytest.skip("rotel is not installed (it has no wheel for every platform): pip install rotel")
    http, grpc = _free_port(), _free_port()
    addresses = ["--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}"]
    with tempfile.TemporaryDirectory(prefix="otelkit-rotel-") as folder:
        log = Path(folder) / "rotel.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [str(agent), "start", *addresses, "--exporter", "blackhole", "--debug-log", "traces"],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_it_listens(process, http, log)
            yield Rotel(f"http://127.0.0.1:{http}", log, f"http://127.0.0.1:{grpc}")
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    given_up = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < given_up and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    if "error while loading shared libraries" in log.read_text():
        pytest.skip(f"rotel's program does not run with this Python, which has no shared library: {log.read_text().strip()}")
    pytest.fail(f"rotel does not listen on port {port}:\n{log.read_text()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
