"""The three endpoints of OTLP/HTTP: ``/v1/traces``, ``/v1/metrics``, ``/v1/logs``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Generic, TypeVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from otelkit_stack.errors import StackError
from otelkit_stack.receiver.answers import refused, taken
from otelkit_stack.receiver.attributes import KnownAttributes
from otelkit_stack.receiver.body import DEFAULT_LIMIT, Encoding, RefusedError, encoding_of, parse, read_body, unpacked
from otelkit_stack.receiver.known_series import KnownSeries
from otelkit_stack.receiver.logs import read_logs
from otelkit_stack.receiver.metrics import read_metrics
from otelkit_stack.receiver.refusals import Refusals
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.rows import Batch
from otelkit_stack.store import QueueFullError

M = TypeVar("M", bound=Message)

Take = Callable[[Batch], None]
"""Takes a batch in. Raises QueueFullError where it does not fit now, StackError where nothing is taken any more."""


@dataclass(frozen=True, slots=True)
class _Signal(Generic[M]):
    path: str
    request: type[M]
    response: type[Message]
    counter: str
    read: Callable[[M], tuple[Batch, Refusals]]

    def route(self, take: Take, limit: int) -> Route:
        return Route(self.path, _Endpoint(self, take, limit).answer, methods=["POST"])


@dataclass(frozen=True, slots=True)
class _Endpoint(Generic[M]):
    signal: _Signal[M]
    take: Take
    limit: int

    async def answer(self, request: Request) -> Response:
        encoding = Encoding.JSON  # until the request names its own
        try:
            encoding = encoding_of(request.headers.get("content-type", ""))
            body = await read_body(request.stream(), self.limit)
            # Parsing is the processor's work, not the event loop's.
            return await run_in_threadpool(self._take, body, request.headers.get("content-encoding", ""), encoding)
        except RefusedError as error:
            return refused(error.status, error.reason, encoding)
        except QueueFullError as error:
            return refused(HTTPStatus.TOO_MANY_REQUESTS, str(error), encoding)
        except StackError as error:
            return refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), encoding)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)

    def _take(self, body: bytes, content_encoding: str, encoding: Encoding) -> Response:
        message = parse(unpacked(body, content_encoding, self.limit), encoding, self.signal.request)
        batch, refusals = self.signal.read(message)
        self.take(batch)
        return taken(self.signal.response(), encoding, refusals, self.signal.counter)


_TRACES = _Signal("/v1/traces", ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans", read_traces)
_METRICS = _Signal("/v1/metrics", ExportMetricsServiceRequest, ExportMetricsServiceResponse, "rejected_data_points", read_metrics)
_LOGS = _Signal("/v1/logs", ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records", read_logs)


def receiver_routes(take: Take, limit: int = DEFAULT_LIMIT) -> list[Route]:
    """Routes that give away what they receive; ``limit`` is in bytes, packed and unpacked."""
    attributes = KnownAttributes()
    traces = replace(_TRACES, read=partial(read_traces, known=attributes))
    metrics = replace(_METRICS, read=partial(read_metrics, known=KnownSeries()))
    logs = replace(_LOGS, read=partial(read_logs, known=attributes))
    return [signal.route(take, limit) for signal in (traces, metrics, logs)]
