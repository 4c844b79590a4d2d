"""One OTLP/gRPC call and what its answer means; needs grpcio, the extra ``grpc``.

The request is what the HTTP road sends, so the queue, the breaker and the books are the same. gRPC's own retries are off.
Source: OTLP 1.7, "OTLP/gRPC Response" and "Failures"; the details of a failure are google.rpc.Status with google.rpc.RetryInfo.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc

import otelkit
from otelkit.catalog.labels import SIGNAL
from otelkit.config import Export, Receiver
from otelkit.export.connection import is_loopback
from otelkit.export.sender import Answer, Verdict, delivered
from otelkit.export.wire import read_fields

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
DEFAULT_PORT = 4317

_RETRYABLE = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"
_LONGEST_WORDS = 200


class GrpcSender:
    """Sends to the configured receivers by gRPC."""

    def __init__(self, export: Export) -> None:
        self._receivers = {signal: export.receiver(signal) for signal in SIGNAL.values}
        self._channels: dict[str, grpc.Channel] = {}

    def reset(self) -> None:
        """Forgets connections; a child process must not write into its parent's."""
        self._channels = {}

    def close(self) -> None:
        """Ends the connections, and with them gRPC's own threads."""
        for channel in self._channels.values():
            channel.close()
        self._channels = {}

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Calls the signal's service, within ``timeout`` seconds in all."""
        receiver = self._receivers[signal]
        try:
            channel = self._channels.get(signal)
            if channel is None:
                channel = self._channels[signal] = _channel(receiver)
            call: Any = channel.unary_unary(METHODS[signal])  # without serializers: bytes go out and come back as they are
            return delivered(signal, call(body, timeout=timeout, metadata=_metadata(receiver)))
        except grpc.RpcError as error:
            return _failed(error, receiver)
        except (OSError, ValueError, ssl.SSLError) as error:  # a file of certificates that cannot be used
            return Answer(Verdict.RETRY, f"the call could not be made ({type(error).__name__}: {error})")


def _channel(receiver: Receiver) -> grpc.Channel:
    parts = urlsplit(receiver.address)
    host = parts.hostname or ""
    target = f"{f'[{host}]' if ':' in host else host}:{parts.port or DEFAULT_PORT}"
    options: list[tuple[str, Any]] = [
        ("grpc.primary_user_agent", f"otelkit/{otelkit.__version__}"),
        ("grpc.enable_retries", 0),
        # The breaker decides when to try again; the channel must not be asleep then.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
        ("grpc.use_local_subchannel_pool", 1),  # or a child would find its parent's connections
        ("grpc.enable_http_proxy", 0 if is_loopback(host) else 1),
    ]
    compression = grpc.Compression.Gzip if receiver.compression == "gzip" else grpc.Compression.NoCompression
    if parts.scheme != "https":
        return grpc.insecure_channel(target, options, compression)
    credentials = grpc.ssl_channel_credentials(
        _read(receiver.certificate or ssl.get_default_verify_paths().cafile or ""),
        _read(receiver.client_key),
        _read(receiver.client_certificate),
    )
    return grpc.secure_channel(target, credentials, options, compression)


def _read(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


def _metadata(receiver: Receiver) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in receiver.headers.items())


def _failed(error: Any, receiver: Receiver) -> Answer:
    code: grpc.StatusCode = error.code()
    words = str(error.details() or "")
    detail = _detail(code, words, receiver)
    retry_after = _retry_after(error)
    if code in _RETRYABLE:
        return Answer(Verdict.RETRY, detail, retry_after=retry_after)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        if "larger than max" in words:  # every implementation says so of a message beyond the receiver's limit, 4 MB by default
            return Answer(Verdict.TOO_LARGE, detail)
        if retry_after is not None:
            return Answer(Verdict.RETRY, detail, retry_after=retry_after)
    return Answer(Verdict.REJECTED, detail)


def _detail(code: grpc.StatusCode, words: str, receiver: Receiver) -> str:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "it did not answer in time"
    if code is grpc.StatusCode.UNAVAILABLE and "refused" in words.lower():
        return "the connection was refused"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return f"it speaks gRPC, but offers no OTLP service ({_short(words)})"
    hint = ""
    if code is grpc.StatusCode.UNAVAILABLE:
        hint = "; port 4317 usually speaks gRPC, 4318 http/protobuf" if urlsplit(receiver.address).port == 4318 else ""
        if urlsplit(receiver.address).scheme == "https":
            hint = f"{hint}; does it speak TLS, and is its certificate for this name and signed by a known authority?"
    return f"it answered {code.name}: {_short(words)}{hint}"


def _short(words: str) -> str:
    text = words[:_LONGEST_WORDS].strip()
    return text if text and text.isprintable() else "without a word"


def _retry_after(error: Any) -> float | None:
    """Seconds that the receiver asks to wait (google.rpc.RetryInfo), or None."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            try:
                return _retry_delay(value)
            except (ValueError, IndexError):  # something that is no google.rpc.Status
                return None
    return None


def _retry_delay(status: bytes) -> float | None:
    for number, detail in read_fields(status):  # google.rpc.Status: the third field is a list of google.protobuf.Any
        if number == 3 and isinstance(detail, bytes):
            parts = dict(read_fields(detail))
            if parts.get(1) == _RETRY_INFO and isinstance(info := parts.get(2), bytes):
                duration = dict(read_fields(delay)) if isinstance(delay := dict(read_fields(info)).get(1), bytes) else {}
                seconds, nanoseconds = duration.get(1, 0), duration.get(2, 0)
                if isinstance(seconds, int) and isinstance(nanoseconds, int):
                    return seconds + nanoseconds / 1e9
    return None
