"""A real OTLP/gRPC receiver, made by grpcio from the services of opentelemetry-proto."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceServicer, add_LogsServiceServicer_to_server
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceServicer, add_TraceServiceServicer_to_server

from tests.receivers import Certificate

Answer = Callable[[str, Any], Any]
"""Gives the response of a signal, or ends the call by its context."""

_RESPONSES: dict[str, Any] = {
    "traces": traces.ExportTraceServiceResponse,
    "metrics": metrics.ExportMetricsServiceResponse,
    "logs": logs.ExportLogsServiceResponse,
}


@dataclass
class GrpcReceiver:
    """What arrived: by signal the decoded requests, and what came with each call."""

    answer: Answer
    endpoint: str = ""
    requests: dict[str, list[Any]] = field(default_factory=lambda: {signal: [] for signal in _RESPONSES})
    metadata: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, signal: str, count: int = 1, timeout: float = 10) -> None:
        """Until that many requests of the signal have arrived. Fails after ``timeout`` seconds."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests[signal]) >= count, timeout), f"{signal}: {len(self.requests[signal])}"

    def take(self, signal: str, request: Any, context: grpc.ServicerContext) -> Any:
        with self.arrived:
            self.metadata.append({pair.key: pair.value for pair in context.invocation_metadata()})
            self.requests[signal].append(request)
            self.arrived.notify_all()
        return self.answer(signal, context)


def accept(signal: str, context: Any) -> Any:
    """Takes everything."""
    return _RESPONSES[signal]()


@contextmanager
def grpc_receiver(
    answer: Answer = accept, certificate: Certificate | None = None, clients: Certificate | None = None, port: int = 0
) -> Iterator[GrpcReceiver]:
    """A receiver on loopback. With a certificate it speaks TLS; with ``clients`` only to those who show that certificate."""
    running = GrpcReceiver(answer)

    class Traces(TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  (gRPC's name)
            return running.take("traces", request, context)

    class Metrics(MetricsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            return running.take("metrics", request, context)

    class Logs(LogsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            return running.take("logs", request, context)

    with futures.ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        add_TraceServiceServicer_to_server(Traces(), server)
        add_MetricsServiceServicer_to_server(Metrics(), server)
        add_LogsServiceServicer_to_server(Logs(), server)
        address = f"127.0.0.1:{port}"
        if certificate is None:
            running.endpoint = f"http://127.0.0.1:{server.add_insecure_port(address)}"
        else:
            pair = (Path(certificate.key).read_bytes(), Path(certificate.path).read_bytes())
            roots = Path(clients.path).read_bytes() if clients else None
            credentials = grpc.ssl_server_credentials([pair], roots, require_client_auth=clients is not None)
            running.endpoint = f"https://127.0.0.1:{server.add_secure_port(address, credentials)}"
        server.start()
        try:
            yield running
        finally:
            server.stop(0).wait()
