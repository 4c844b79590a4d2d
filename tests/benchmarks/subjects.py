"""What is measured beside what: the same project, observed in six ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.project import SETTINGS

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


def observe_by_upstream() -> Flush:
    """Traces and metrics over OTLP/HTTP with the defaults of the SDK, as its documentation sets them up."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
    DjangoInstrumentor().instrument(tracer_provider=tracers, meter_provider=meters)

    def flush() -> None:
        if not (tracers.force_flush() and meters.force_flush()):
            _fail("Upstream's exporters did not flush.")

    return flush


def _fail(message: str) -> None:
    raise RuntimeError(message)


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to observe the project."""

    key: str
    title: str
    observe: Callable[[], Flush] = observe_not
    """Runs after ``django.setup()`` and before the application is made."""
    apps: tuple[str, ...] = ()
    """Added to INSTALLED_APPS, in front."""
    settings: dict[str, Any] = field(default_factory=dict)
    outer: tuple[str, ...] = ()
    """Middleware in front of the project's."""
    inner: tuple[str, ...] = ()
    """Middleware behind the project's."""

    def project(self) -> dict[str, Any]:
        """The settings of the project with this observer."""
        return {
            **SETTINGS,
            **self.settings,
            "INSTALLED_APPS": [*self.apps, *SETTINGS["INSTALLED_APPS"]],
            "MIDDLEWARE": [*self.outer, *SETTINGS["MIDDLEWARE"], *self.inner],
        }


BARE = Subject("bare", "Django alone")
UPSTREAM = Subject("upstream", "opentelemetry-instrumentation-django, traces and metrics", observe_by_upstream)
SUBJECTS = (
    BARE,
    Subject("otelkit", "otelkit, traces, metrics and access line", observe_by_otelkit, apps=("otelkit",)),
    Subject(
        "otelkit-10",
        "otelkit, 10 % of traces kept",
        observe_by_otelkit,
        apps=("otelkit",),
        settings={"OTELKIT": {"traces": {"sample_ratio": 0.1}}},
    ),
    Subject("otelkit-off", "otelkit, switched off", observe_by_otelkit_not, apps=("otelkit",), settings={"OTELKIT": {"enabled": False}}),
    UPSTREAM,
    Subject(
        "django-prometheus",
        "django-prometheus, metrics",
        apps=("django_prometheus",),
        outer=("django_prometheus.middleware.PrometheusBeforeMiddleware",),
        inner=("django_prometheus.middleware.PrometheusAfterMiddleware",),
    ),
)
