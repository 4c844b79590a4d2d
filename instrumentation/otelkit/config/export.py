"""The settings of sending over OTLP: those for every signal, and what one signal may have of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from otelkit import settings_field as s
from otelkit.settings_field import setting

HTTP, GRPC = "http/protobuf", "grpc"
"""Protocols, as OpenTelemetry names them."""
USUAL_ENDPOINTS = {HTTP: "http://127.0.0.1:4318", GRPC: "http://127.0.0.1:4317"}


class Receiver(NamedTuple):
    """Where one signal goes, and how."""

    address: str
    headers: dict[str, str]
    timeout: float
    """Seconds that one export may take in all."""
    compression: str
    certificate: str
    client_certificate: str
    client_key: str
    protocol: str


@dataclass(frozen=True, slots=True)
class _EverySignal:
    endpoint: str = setting(
        USUAL_ENDPOINTS[HTTP],
        env="OTEL_EXPORTER_OTLP_ENDPOINT",
        help="Address of the collector; over HTTP /v1/traces, /v1/metrics and /v1/logs are added. HTTP_PROXY and NO_PROXY count.",
        check=s.http_url,
    )
    protocol: str = setting(
        HTTP,
        env="OTEL_EXPORTER_OTLP_PROTOCOL",
        help="What the collector speaks there: http/protobuf, usually on port 4318, or grpc, usually on port 4317.",
        check=s.one_of(HTTP, GRPC),
    )
    headers: dict[str, str] = setting({}, env="OTEL_EXPORTER_OTLP_HEADERS", help="Headers of each export, for example a token.")
    certificate: str = setting(
        "",
        env="OTEL_EXPORTER_OTLP_CERTIFICATE",
        help="File (PEM) of the authorities that may have signed the collector's certificate; the system's when empty.",
        check=s.optional(s.readable_file),
    )
    client_certificate: str = setting(
        "",
        env="OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        help="File (PEM) of the certificate that this service shows the collector (mTLS), its chain included.",
        check=s.optional(s.readable_file),
    )
    client_key: str = setting(
        "", env="OTEL_EXPORTER_OTLP_CLIENT_KEY", help="File (PEM) of that certificate's private key.", check=s.optional(s.readable_file)
    )
    compression: str = setting(
        "gzip", env="OTEL_EXPORTER_OTLP_COMPRESSION", help="gzip is twelve times smaller for 1 ms a batch.", check=s.one_of("gzip", "none")
    )
    timeout: float = setting(
        5.0,
        env="OTEL_EXPORTER_OTLP_TIMEOUT",
        help="Seconds that one export may take in all.",
        check=s.between(0.1, 60),
        parse=s.milliseconds,
    )
    interval: float = setting(
        1.0,
        env="OTEL_BSP_SCHEDULE_DELAY",
        help="Seconds that spans and log lines wait at most for a full batch; a process that is killed (SIGKILL) loses no older ones.",
        check=s.between(0.05, 60),
        parse=s.milliseconds,
    )
    batch_size: int = setting(
        512,
        env="OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        help="Spans or log lines in one export; with few the export thread, which waits its turn each time, falls behind a busy process.",
        check=s.between(1, 4096),
    )
    queue_size: int = setting(
        8192,
        env="OTEL_BSP_MAX_QUEUE_SIZE",
        help="Spans, and as many log lines, that may wait; the oldest is dropped, and counted.",
        check=s.between(1, 1_000_000),
    )
    queue_bytes: int = setting(
        67_108_864,
        help="Bytes of memory that waiting spans, and as many that log lines, may take, whatever their number; then as with queue_size.",
        check=s.between(1_000_000, 10_000_000_000),
    )
    shutdown_timeout: float = setting(3.0, help="Seconds that leaving may take to send what is queued.", check=s.between(0, 60))


_FIELDS = {item.name: item for item in fields(_EverySignal)}


def own(signal: str, name: str) -> Any:
    """The setting of one signal that stands in the place of the one for every signal, in the same form; empty, the other holds."""
    shared = s.declaration(_FIELDS[name])
    wanted = s.types_of(_EverySignal)[name]
    empty = wanted()
    says = f"Whole address for {signal}, if another." if name == "endpoint" else f"For {signal} alone, in place of `{name}`."
    variable = str(shared.env).replace("_OTLP_", f"_OTLP_{signal.upper()}_")
    return setting(empty, env=variable, help=says, check=shared.check and s.either(empty, shared.check), parse=shared.parse)


@dataclass(frozen=True, slots=True)
class Export(_EverySignal):
    """How telemetry is sent over OTLP."""

    traces_endpoint: str = own("traces", "endpoint")
    traces_protocol: str = own("traces", "protocol")
    traces_headers: dict[str, str] = own("traces", "headers")
    traces_certificate: str = own("traces", "certificate")
    traces_client_certificate: str = own("traces", "client_certificate")
    traces_client_key: str = own("traces", "client_key")
    traces_compression: str = own("traces", "compression")
    traces_timeout: float = own("traces", "timeout")
    metrics_endpoint: str = own("metrics", "endpoint")
    metrics_protocol: str = own("metrics", "protocol")
    metrics_headers: dict[str, str] = own("metrics", "headers")
    metrics_certificate: str = own("metrics", "certificate")
    metrics_client_certificate: str = own("metrics", "client_certificate")
    metrics_client_key: str = own("metrics", "client_key")
    metrics_compression: str = own("metrics", "compression")
    metrics_timeout: float = own("metrics", "timeout")
    logs_endpoint: str = own("logs", "endpoint")
    logs_protocol: str = own("logs", "protocol")
    logs_headers: dict[str, str] = own("logs", "headers")
    logs_certificate: str = own("logs", "certificate")
    logs_client_certificate: str = own("logs", "client_certificate")
    logs_client_key: str = own("logs", "client_key")
    logs_compression: str = own("logs", "compression")
    logs_timeout: float = own("logs", "timeout")

    def receiver(self, signal: str) -> Receiver:
        """Where ``signal`` goes: by its own settings, and for the rest by those of every signal."""
        return Receiver(
            self.address(signal),
            **{name: getattr(self, f"{signal}_{name}") or getattr(self, name) for name in Receiver._fields if name != "address"},
        )

    def address(self, signal: str) -> str:
        """The address of ``signal``: its own as it is, or the endpoint, over HTTP with ``/v1/<signal>`` (OTLP)."""
        given: str = getattr(self, f"{signal}_endpoint")
        if given:
            return given
        is_grpc = (getattr(self, f"{signal}_protocol") or self.protocol) == GRPC
        return self.endpoint if is_grpc else f"{self.endpoint.rstrip('/')}/v1/{signal}"
