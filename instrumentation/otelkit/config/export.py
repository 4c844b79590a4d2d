"""The settings of sending over OTLP."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit import settings_field as s
from otelkit.settings_field import setting


@dataclass(frozen=True, slots=True)
class Export:
    """How telemetry is sent over OTLP/HTTP."""

    endpoint: str = setting(
        "http://127.0.0.1:4318",
        env="OTEL_EXPORTER_OTLP_ENDPOINT",
        help="Address of the collector; /v1/traces, /v1/metrics and /v1/logs are added. HTTP_PROXY and NO_PROXY hold for other machines.",
        check=s.http_url,
    )
    traces_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", help="Whole address for traces, if another.", check=s.optional(s.http_url)
    )
    metrics_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", help="Whole address for metrics, if another.", check=s.optional(s.http_url)
    )
    logs_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", help="Whole address for log lines, if another.", check=s.optional(s.http_url)
    )
    headers: dict[str, str] = setting({}, env="OTEL_EXPORTER_OTLP_HEADERS", help="Headers of each export, for example a token.")
    certificate: str = setting(
        "",
        env="OTEL_EXPORTER_OTLP_CERTIFICATE",
        help="File (PEM) of the authorities that may have signed the collector's certificate; the system's when empty.",
        check=s.optional(s.readable_file),
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

    def address(self, signal: str) -> str:
        """Where ``signal`` is posted: its own address as it is, or the endpoint's with ``/v1/<signal>`` (OTLP/HTTP)."""
        own: str = getattr(self, f"{signal}_endpoint")
        return own or f"{self.endpoint.rstrip('/')}/v1/{signal}"
