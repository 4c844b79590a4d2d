"""The demo as its user starts it: a process of its own, on free ports, in a folder of its own."""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from otelkit_demo.faults import FlagFile
from otelkit_demo.folder import flag_file
from otelkit_demo.manifest import SERVICES
from otelkit_demo.ports import is_free
from otelkit_stack.queries import Queries
from otelkit_stack.records import Trace
from tests.backends import free_ports, wait_until

READY = "Open http"
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(slots=True)
class RunningDemo:
    """A supervisor and what it printed so far."""

    process: subprocess.Popen[str]
    folder: Path
    ports: Mapping[str, int]
    lines: list[str] = field(default_factory=list)
    _new: queue.Queue[str | None] = field(default_factory=queue.Queue)
    _reader: threading.Thread | None = None

    def read(self) -> None:
        """Collect what it prints, in a thread, so that it never waits for us."""

        def collect() -> None:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                self._new.put(line.rstrip("\n"))
            self._new.put(None)

        self._reader = threading.Thread(target=collect, daemon=True)
        self._reader.start()

    def wait_for_line(self, text: str, timeout: float = START_SECONDS) -> str:
        """The first line with that text, printed already or yet to come."""
        for line in self.lines:
            if text in line:
                return line
        end = time.monotonic() + timeout
        while (line := self._new.get(timeout=max(0.01, end - time.monotonic()))) is not None:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"the demo ended without {text!r}; it said:\n" + "\n".join(self.lines))

    def close(self) -> None:
        """Close the pipe that it spoke through, once it has ended."""
        assert self._reader is not None
        assert self.process.stdout is not None
        self._reader.join(STOP_SECONDS)
        self.process.stdout.close()

    def end(self) -> int:
        """Wait until the supervisor has ended and read the rest of what it said. Returns its exit code."""
        code = self.process.wait(STOP_SECONDS)
        while (line := self._new.get(timeout=STOP_SECONDS)) is not None:
            self.lines.append(line)
        self.close()
        return code

    @property
    def queries(self) -> Queries:
        """A reader of what the stack received."""
        return Queries(self.folder / "otelkit.db")

    @property
    def faults(self) -> FlagFile:
        """The flag file that its services read."""
        return FlagFile(flag_file(self.folder))

    def url(self, service: str) -> str:
        """Base address of a service, or of the stack."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def request(
        self, service: str, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[httpx.Response, str]:
        """Send one request in a trace of its own. Returns the answer and the trace's id."""
        trace_id = secrets.token_hex(16)
        sent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01", **(headers or {})}
        with httpx.Client(base_url=self.url(service), trust_env=False, timeout=15) as client:
            return client.request(method, path, headers=sent, **options), trace_id

    def place_order(self, sku: str = "tea-sencha", quantity: int = 1) -> tuple[httpx.Response, str]:
        """Check out at the gateway. Returns the answer and the trace's id."""
        return self.request("gateway", "POST", "/api/v2/checkout", json={"sku": sku, "quantity": quantity})

    def trace(self, trace_id: str, *, services: Set[str]) -> Trace:
        """The trace, once the stack has a span of each of the services, no gap, and the access line of each request in it."""

        def arrived() -> Trace | None:
            with self.queries as queries:
                trace = queries.trace(trace_id)
            if trace is None or not services <= {span.service for span in trace.spans}:
                return None
            known = {span.span_id for span in trace.spans}
            if len([span for span in trace.spans if span.parent_span_id not in known]) != 1:
                return None
            served = {span.span_id for span in trace.spans if span.kind == "SERVER"}
            told = {line.span_id for line in trace.logs if line.event_name == "http.request"}
            return trace if served and served <= told else None

        return wait_until(arrived, 20, f"trace {trace_id} is not complete")

    def free_ports(self) -> bool:
        """Whether nothing listens on any of its ports."""
        return all(is_free(port) for port in self.ports.values())

    def family(self) -> set[Process]:
        """The supervisor and all below it: children, and workers of children."""
        found = {process for process in processes() if process.pid == self.process.pid}
        while True:
            pids = {process.pid for process in found}
            grown = found | {process for process in processes() if process.parent in pids}
            if grown == found:
                return found
            found = grown


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine. The start time tells it from a later one with the same id; the parent may change."""

    pid: int
    started: int
    parent: int = field(compare=False)


def processes() -> Iterator[Process]:
    """All processes that are not mere zombies (proc(5): state is field 3, ppid 4, starttime 22)."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if fields[0] != "Z":
            yield Process(int(stat.parent.name), int(fields[19]), int(fields[1]))


@contextmanager
def running_demo(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[RunningDemo]:
    """A demo that has said where to look. Leaving the context stops it by SIGTERM where it still runs."""
    names = ("stack", *(service.name for service in SERVICES))
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    asked = [part for name, port in ports.items() for part in (f"--{name}-port", str(port))]
    process = subprocess.Popen(
        # Longer than any test session, and yet not for ever, should the session be killed.
        [sys.executable, "-m", "otelkit_demo", "--data", str(folder), "--minutes", "30", *asked, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    demo = RunningDemo(process, folder, ports)
    demo.read()
    try:
        demo.wait_for_line(READY)
        yield demo
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                demo.end()
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        demo.close()
