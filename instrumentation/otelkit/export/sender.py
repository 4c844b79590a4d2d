"""One OTLP/HTTP request and what its answer means.

Source: OTLP 1.7, "OTLP/HTTP Response": 429, 502, 503 and 504 may be tried again, other 4xx and 5xx must not, nor may a partial success.
Redirects are failures: following one would send telemetry, and its token, to an address nobody configured.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from time import time
from typing import Any, Protocol

import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

import otelkit
from otelkit.catalog.labels import SIGNAL
from otelkit.config import Export, Receiver
from otelkit.export.connection import Deadline, pool_manager
from otelkit.export.reasons import reason
from otelkit.redaction import redact_url

_FAILURES = (urllib3.exceptions.HTTPError, OSError, ValueError)
_RETRYABLE = (429, 502, 503, 504)
_LONGEST_ANSWER = 65_536
"""Bytes."""


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
    """Sends to the configured receivers over HTTP."""

    def __init__(self, export: Export) -> None:
        self._receivers = {signal: export.receiver(signal) for signal in SIGNAL.values}
        self._headers = {signal: _headers(receiver) for signal, receiver in self._receivers.items()}
        self._deadline = Deadline()
        self._pools: dict[str, urllib3.PoolManager] = {}

    def reset(self) -> None:
        """Forgets connections; a child process must not write into its parent's."""
        self._pools = {}

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Posts to the signal's address. ``timeout`` is for all of it, the last byte of the answer included."""
        self._deadline.set(timeout)
        # Level 1: a tenth of level 9's time for twice its size.
        content = gzip.compress(body, 1) if self._receivers[signal].compression == "gzip" else body
        try:
            try:
                return _understand(signal, *self._post(signal, content))
            except urllib3.exceptions.ProtocolError:
                # Most often a kept connection that the receiver closed in the meantime: a new one decides.
                return _understand(signal, *self._post(signal, content))
        except _FAILURES as error:
            return Answer(Verdict.RETRY, reason(error))

    def _post(self, signal: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and the beginning of the body."""
        receiver = self._receivers[signal]
        pool = self._pools.get(signal)
        if pool is None:
            pool = self._pools[signal] = pool_manager(receiver, self._deadline)
        response = pool.request(
            "POST",
            receiver.address,
            body=content,
            headers=self._headers[signal],
            timeout=urllib3.Timeout(total=self._deadline.left()),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            data = response.read(_LONGEST_ANSWER)
            if response.read(1):  # nothing that speaks OTLP says so much; the rest is not waited for
                response.close()
        except _FAILURES:
            # The status has come, so the batch was judged: what lacks is at most an explanation, and sending it again would double it.
            data = b""
            response.close()
        finally:
            response.release_conn()
        return response.status, response.headers, data


def _headers(receiver: Receiver) -> dict[str, str]:
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": f"otelkit/{otelkit.__version__}", **receiver.headers}
    return {**headers, "Content-Encoding": "gzip"} if receiver.compression == "gzip" else headers


def _understand(signal: str, status: int, headers: Mapping[str, str], data: bytes) -> Answer:
    if 200 <= status < 300:
        kind = headers.get("Content-Type", "")
        if kind.startswith("text/html"):  # a page says 200 to everything
            return Answer(Verdict.REJECTED, f"it answered {status} with a web page ({kind}), so it is no OTLP receiver")
        return delivered(signal, data)
    text = _words(headers, data)
    detail = f"it answered {status}{': ' + text if text else ''}"
    if status in _RETRYABLE:
        return Answer(Verdict.RETRY, detail, retry_after=_seconds(headers.get("Retry-After")))
    if 300 <= status < 400:
        location = redact_url(headers.get("Location", "nowhere"))
        return Answer(Verdict.REJECTED, f"it answered {status}, a redirect to {location}; set the endpoint to the final address")
    return Answer(Verdict.TOO_LARGE if status == 413 else Verdict.REJECTED, detail)


def _words(headers: Mapping[str, str], data: bytes) -> str:
    """The receiver's own words about a failure, if a person can read them."""
    text = data[:200].decode("utf-8", "replace").strip()
    if headers.get("Content-Type", "").startswith("application/x-protobuf"):
        try:
            # OTLP: the body is a google.rpc.Status, an integer and a text in the fields 1 and 2, like this message.
            text = ExportTracePartialSuccess.FromString(data).error_message[:200].strip()
        except DecodeError:
            return ""
    return text if text.isprintable() else ""


def delivered(signal: str, body: bytes) -> Answer:
    """A 2xx whose body may say that some items were refused. Something that is no OTLP answer counts as delivered: it was a 2xx."""
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
    except (ValueError, OverflowError):
        return None
