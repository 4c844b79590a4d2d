"""An OTLP receiver on loopback that counts what a suite's processes send: the proof that the kit was on."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Received:
    """What has come so far."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.requests = 0
        """SERVER spans: requests that the kit followed."""
        self.others = 0
        """Other spans: queries and outbound calls."""
        self.lines = 0
        """Log records."""
        self.points: Counter[str] = Counter()
        """Points of each metric, every export counted."""
        self.processes: set[str] = set()
        """Ids of the processes that sent something."""
        self._lock = threading.Lock()

    def take(self, path: str, body: bytes) -> None:
        """Counts one export. Raises DecodeError for what is no OTLP."""
        with self._lock:
            if path.endswith("/traces"):
                self._take_traces(body)
            elif path.endswith("/logs"):
                for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                    self._name(logs.resource)
                    self.lines += sum(len(scope.log_records) for scope in logs.scope_logs)
            else:
                for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    self._name(metrics.resource)
                    self.points.update(metric.name for scope in metrics.scope_metrics for metric in scope.metrics)

    def _take_traces(self, body: bytes) -> None:
        for traces in ExportTraceServiceRequest.FromString(body).resource_spans:
            self._name(traces.resource)
            for scope in traces.scope_spans:
                requests = sum(span.kind == Span.SPAN_KIND_SERVER for span in scope.spans)
                self.requests += requests
                self.others += len(scope.spans) - requests

    def _name(self, resource: Resource) -> None:
        self.processes.update(str(pair.value.int_value) for pair in resource.attributes if pair.key == "process.pid")

    def __str__(self) -> str:
        processes = f"{len(self.processes)} process{'es' * (len(self.processes) != 1)}"
        return (
            f"{self.requests:,} requests, {self.others:,} queries and calls, {self.lines:,} log lines and {len(self.points)} metrics "
            f"from {processes}"
        )


@contextmanager
def counting() -> Iterator[Received]:
    """Receives until the block ends."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.take(self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent: what came is counted."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
