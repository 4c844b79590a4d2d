"""Who observes: each function sets one kit up as its documentation says, and gives back how to flush it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

Flush = Callable[[], None]
"""Sends everything that was recorded, before it returns."""


def nothing() -> None:
    """Nothing is recorded, or nothing leaves by itself."""


def observe_not() -> Flush:
    return nothing


def observe_by_otelkit() -> Flush:
    """INSTALLED_APPS has switched it on already."""
    from otelkit import startup

    runtime = startup.current()
    if runtime is None:
        raise RuntimeError("otelkit is installed in this project, but did not start.")
    return lambda: None if runtime.exporter.flush(30) else _fail("otelkit did not flush within 30 s.")


def observe_by_otelkit_not() -> Flush:
    from otelkit import startup

    if startup.current() is not None:
        raise RuntimeError("otelkit should be off in this project, but did start.")
    return nothing


def observe_by_upstreams_libraries(instrument: Callable[[Any, Any], None]) -> Flush:
    """As below, by the instrumentation of a library."""
    tracers, meters, flush = _upstream(1.0)
    instrument(tracers, meters)
    return flush


def follow_requests(tracers: Any, meters: Any) -> None:
    """Calls to other services."""
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    RequestsInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)


def follow_redis(tracers: Any, meters: Any) -> None:
    """Commands; nobody at OpenTelemetry follows Django's caches."""
    from opentelemetry.instrumentation.redis import RedisInstrumentor

    RedisInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)


def follow_celery(tracers: Any, meters: Any) -> None:
    """Tasks, where they are sent and where they run."""
    from opentelemetry.instrumentation.celery import CeleryInstrumentor

    CeleryInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)


def observe_by_upstream(sample_ratio: float = 1.0, *, with_queries: bool = False) -> Flush:
    """Traces and metrics over OTLP/HTTP with the defaults of the SDK, as its documentation sets them up."""
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    tracers, meters, flush = _upstream(sample_ratio)
    DjangoInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)
    if with_queries:
        from opentelemetry.instrumentation import dbapi

        # All that opentelemetry-instrumentation-sqlite3 does; no release of it goes with the others that are pinned here.
        for module in (sqlite3, sqlite3.dbapi2):
            dbapi.wrap_connect("benchmark", module, "connect", "sqlite", tracer_provider=tracers)
    return flush


def _upstream(sample_ratio: float) -> tuple[Any, Any, Flush]:
    """The providers of the process, and how to flush them."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    tracers = TracerProvider(sampler=ParentBased(TraceIdRatioBased(sample_ratio)))
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])

    def flush() -> None:
        if not (tracers.force_flush() and meters.force_flush()):
            _fail("Upstream's exporters did not flush.")

    return tracers, meters, flush


def observe_by_structlog() -> Flush:
    """structlog's own renderer, by the usual road of a Django project: through the handlers of the standard library."""
    import logging.config

    import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "processors": rendered, "foreign_pre_chain": shared}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
            "root": {"handlers": ["console"], "level": "INFO"},
        }
    )
    return nothing


def observe_by_bare_structlog() -> Flush:
    """The shortest road that structlog has to a line of JSON: no levels of loggers, no handlers."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        cache_logger_on_first_use=True,
    )
    return nothing


def observe_by_upstream_and_structlog() -> Flush:
    observe_by_structlog()
    return observe_by_upstream()


def observe_by_sentry() -> Flush:
    """Errors and every trace; what would be sent is dropped, because there is no receiver of Sentry's here."""
    import sentry_sdk
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.transport import Transport

    class Nowhere(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            pass

    sentry_sdk.init(dsn="http://key@127.0.0.1:1/1", traces_sample_rate=1.0, transport=Nowhere)
    return nothing


def _fail(message: str) -> None:
    raise RuntimeError(message)
