"""One OTLP/HTTP request and what its answer means.

Source: OTLP 1.7, "OTLP/HTTP Response": 429, 502, 503 and 504 may be tried again, other 4xx and 5xx must not, nor may a partial success.
Redirects are failures: following one would send telemetry, and its token, to an address nobody configured.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from time import monotonic, time
from typing import Any, Protocol

import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import otelkit
from otelkit.config import Export
from otelkit.redaction import redact_url

_FAILURES = (urllib3.exceptions.HTTPError, OSError, ValueError)
_RETRYABLE = (429, 502, 503, 504)
_LONGEST_ANSWER = 65_536
"""Bytes of an answer that are read. An OTLP answer is shorter; a wrong endpoint may send without end."""


class Verdict(Enum):
    """What becomes of a batch."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, the receiver's words, items it refused of a delivered batch, and seconds it asks to wait."""

    verdict: Verdict
    detail: str = ""
    rejected_items: int = 0
    retry_after: float | None = None


class Sender(Protocol):
    """Anything that can deliver one encoded request."""

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Delivers ``body`` for ``signal`` (traces, metrics or logs) within ``timeout`` seconds. Never raises."""
        ...


class HttpSender:
    """Sends to the configured endpoint."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": f"otelkit/{otelkit.__version__}", **export.headers}
        self._gzip = export.compression == "gzip"
        if self._gzip:
            self._headers["Content-Encoding"] = "gzip"
        self._pool = _pool()

    def reset(self) -> None:
        """Forgets connections; a child process must not write into its parent's."""
        self._pool = _pool()

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Posts to the signal's address."""
        deadline = monotonic() + timeout
        try:
            try:
                return self._post(signal, body, deadline)
            except urllib3.exceptions.ProtocolError:
                # Most often a kept connection that the receiver closed in the meantime: a new one decides.
                return self._post(signal, body, deadline)
        except _FAILURES as error:
            return Answer(Verdict.RETRY, _reason(error))

    def _post(self, signal: str, body: bytes, deadline: float) -> Answer:
        response = self._pool.request(
            "POST",
            self._export.address(signal),
            body=gzip.compress(body, 1) if self._gzip else body,  # level 1: a tenth of level 9's time for twice its size
            headers=self._headers,
            timeout=urllib3.Timeout(total=max(0.01, deadline - monotonic())),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        return _understand(signal, response, _read(response, deadline))


def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=1, maxsize=1)


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The body, as far as it comes in time and is not too long. The status has come, so what lacks here is at most an explanation."""
    read: Callable[[int], bytes] = getattr(response, "read1", response.read)  # urllib3 before 2.2 has none
    body = bytearray()
    try:
        # Piece by piece: urllib3's timeout is for each piece, and a receiver that drips would hold the thread for as long as it likes.
        while piece := read(_LONGEST_ANSWER - len(body)):
            body += piece
            if len(body) >= _LONGEST_ANSWER or monotonic() >= deadline:
                break
        else:
            response.release_conn()
            return bytes(body)
    except _FAILURES:
        pass
    response.close()
    return bytes(body)


def _understand(signal: str, response: urllib3.BaseHTTPResponse, body: bytes) -> Answer:
    status = response.status
    if 200 <= status < 300:
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html"):  # a page says 200 to everything
            return Answer(Verdict.REJECTED, f"it answered {status} with a web page ({kind}), so it is no OTLP receiver")
        return _delivered(signal, body)
    text = body[:200].decode("utf-8", "replace").strip()
    detail = f"it answered {status}{': ' + text if text and text.isprintable() else ''}"
    if status in _RETRYABLE:
        return Answer(Verdict.RETRY, detail, retry_after=_seconds(response.headers.get("Retry-After")))
    if 300 <= status < 400:
        location = redact_url(response.headers.get("Location", "nowhere"))
        return Answer(Verdict.REJECTED, f"it answered {status}, a redirect to {location}; set the endpoint to the final address")
    return Answer(Verdict.TOO_LARGE if status == 413 else Verdict.REJECTED, detail)


def _delivered(signal: str, body: bytes) -> Answer:
    """A 2xx whose body may say that some items were refused. Other bodies that are no OTLP answer count as delivered: it was a 2xx."""
    message: Any
    try:
        if signal == "traces":
            message = ExportTraceServiceResponse.FromString(body).partial_success
            rejected = message.rejected_spans
        elif signal == "metrics":
            message = ExportMetricsServiceResponse.FromString(body).partial_success
            rejected = message.rejected_data_points
        else:
            message = ExportLogsServiceResponse.FromString(body).partial_success
            rejected = message.rejected_log_records
    except DecodeError:
        return Answer(Verdict.DELIVERED)
    return Answer(Verdict.DELIVERED, message.error_message, rejected_items=rejected)


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds: a number or a date (RFC 9110)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    """What went wrong on the way, in words a person can act on."""
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "its host name cannot be resolved"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "the connection was refused" if "refused" in str(error).lower() else "no connection could be made"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate was not accepted"
    return f"the exchange failed ({type(error).__name__})"
