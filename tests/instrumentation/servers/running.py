"""A real server as a subprocess, clients for it, and the receiver that its workers send to."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import signal
import subprocess
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.backends import free_port, wait_until
from tests.instrumentation.servers.table import Server
from tests.receivers import Receiver

ROOT = Path(__file__).parents[3]
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class Running:
    """A server that runs."""

    server: Server
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    answered: list[str] = field(default_factory=list)
    """Trace ids of the requests that were answered with 200."""

    def ask(self, path: str, trace_id: str = "") -> bytes:
        """The body of the answer. Raises OSError or HTTPException where there is none, or no 200."""
        trace_id = trace_id or secrets.token_hex(16)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01")
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = bytes(answer.read())
        self.answered.append(trace_id)
        return body

    def asks(self, path: str) -> bool:
        """Whether there was an answer."""
        with suppress(OSError, HTTPException):
            self.ask(path)
            return True
        return False

    def worker(self) -> dict[str, Any]:
        """Who answers."""
        return dict(json.loads(self.ask("/worker")))

    @property
    def children(self) -> set[int]:
        """Process ids of the server's children, which are its workers."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return {int(pid) for children in tasks for pid in children.read_text().split()}

    @property
    def slots(self) -> set[str]:
        """Numbers of the slots that anybody has taken so far."""
        return {path.stem.removeprefix("slot-") for path in self.log.parent.glob("otelkit-*/shop/slot-*.lock")}

    def wait_until_ready(self, workers: int = 1) -> None:
        """Until every worker has answered."""
        seen: set[int] = set()

        def all_answer() -> bool:
            with suppress(OSError, HTTPException), ThreadPoolExecutor(4) as clients:
                seen.update(answer["pid"] for answer in clients.map(lambda _: self.worker(), range(4)))
            return self.process.poll() is not None or len(seen) >= workers

        wait_until(all_answer, START_SECONDS, f"the server does not answer:\n{self.end}")
        assert self.process.poll() is None, self.end

    def stop(self) -> int:
        """Asks it to end; its exit code."""
        if self.server.by_ctrl_c:
            os.killpg(self.process.pid, signal.SIGINT)
        else:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    @property
    def text(self) -> str:
        """Everything that it wrote so far."""
        return self.log.read_text(errors="replace")

    @property
    def end(self) -> str:
        """The last things that it wrote, for a test that fails."""
        return self.text[-3000:]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines among it."""
        found = []
        for line in self.text.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    @property
    def access_lines(self) -> Counter[str]:
        """Access lines by trace id."""
        return Counter(line["trace_id"] for line in self.lines if line.get("event.name") == "http.request")

    @property
    def start_lines(self) -> list[dict[str, Any]]:
        """The lines that say that the kit observes."""
        return [line for line in self.lines if line.get("event.name") == "otelkit.started"]


@contextmanager
def running(server: Server, folder: Path, endpoint: str, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The server with the shop, whose workers send to ``endpoint`` only when they end, unless the environment says otherwise."""
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in server.command]
    environ = environment_of(folder, endpoint, environment or {})
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True)
    try:
        yield Running(server, process, port, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: whatever it left behind
        process.wait()


def environment_of(folder: Path, endpoint: str, more: Mapping[str, str]) -> dict[str, str]:
    """What a process of the shop finds in its environment, with ``more`` over it."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "TESTS_DATABASE")}
    return inherited | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
        "OTEL_METRIC_EXPORT_INTERVAL": "60000",
        "OTEL_SERVICE_NAME": "shop",
        "TMPDIR": str(folder),  # the slots' locks: other tests have workers too
        "HOME": str(folder),  # gunicorn's control socket
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextmanager
def load(server: Running, path: str, clients: int = 4) -> Iterator[None]:
    """Clients that ask without a pause, until the end of the block or until nobody answers."""
    ended = threading.Event()

    def ask_on() -> None:
        while not ended.is_set():
            if not server.asks(path) and server.process.poll() is not None:
                return

    threads = [threading.Thread(target=ask_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


class Received:
    """What a receiver has got."""

    def __init__(self, receiver: Receiver) -> None:
        with receiver.arrived:
            self._requests = list(receiver.requests)

    def spans(self) -> list[tuple[Span, dict[str, str]]]:
        """SERVER spans, each with its resource."""
        return [
            (span, _plain(resource.resource.attributes))
            for body in self._bodies("/v1/traces")
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if span.kind == Span.SPAN_KIND_SERVER
        ]

    def spans_by_trace(self) -> Counter[str]:
        """How many SERVER spans each trace has."""
        return Counter(span.trace_id.hex() for span, _ in self.spans())

    def instances(self) -> set[str]:
        """`service.instance.id` of everyone who sent metrics."""
        return {resource["service.instance.id"] for resource, _, _ in self._metrics()}

    def slots(self) -> set[str]:
        """The slots that they had."""
        return {instance.rpartition(":")[2] for instance in self.instances()}

    def pids(self) -> set[str]:
        """`process.pid` of everyone who sent anything."""
        logs = [_plain(resource.resource.attributes) for resource in self._logs()]
        resources = [*(resource for _, resource in self.spans()), *(resource for resource, _, _ in self._metrics()), *logs]
        return {resource.get("process.pid", "none") for resource in resources}

    def log_lines(self) -> int:
        """How many came over OTLP."""
        return sum(len(scope.log_records) for resource in self._logs() for scope in resource.scope_logs)

    def _logs(self) -> list[ResourceLogs]:
        return [found for body in self._bodies("/v1/logs") for found in ExportLogsServiceRequest.FromString(body).resource_logs]

    def total(self, metric: str) -> float:
        """The sum, over those who sent it, of the newest value; of a histogram, of its count."""
        newest: dict[str, float] = {}
        for resource, name, points in self._metrics():
            if name == metric:
                newest[resource["service.instance.id"]] = sum(getattr(point, "count", 0) or _number(point) for point in points)
        return sum(newest.values())

    def labels(self, metric: str, label: str) -> set[str]:
        """The values that a label of the metric has."""
        return {_plain(point.attributes)[label] for _, name, points in self._metrics() if name == metric for point in points}

    def _metrics(self) -> Iterator[tuple[dict[str, str], str, list[Any]]]:
        for body in self._bodies("/v1/metrics"):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        points = getattr(metric, str(metric.WhichOneof("data"))).data_points
                        yield _plain(resource.resource.attributes), metric.name, list(points)

    def _bodies(self, path: str) -> list[bytes]:
        return [gzip.decompress(body) for where, _, body in self._requests if where == path]


def _plain(pairs: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value or str(pair.value.int_value) for pair in pairs}


def _number(point: Any) -> float:
    return float(getattr(point, point.WhichOneof("value")))
