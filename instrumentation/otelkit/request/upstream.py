"""``requests.engine = "upstream"``: OpenTelemetry's own Django instrumentation follows requests, through our exporter.

Its spans come by the global tracer provider, its two metrics go into our aggregator, under the stable semantic conventions.
What only our engine has is missing: access line, query counts, phases, normalised routes, streamed bodies, silence below excluded paths.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.util.types import Attributes

from otelkit.catalog.metrics import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION
from otelkit.config import Requests
from otelkit.errors import ConfigError
from otelkit.installed import is_installed
from otelkit.metrics.aggregator import Aggregator, Counter, Histogram, LabelValues

_PACKAGE = "opentelemetry.instrumentation.django"
_MISSING = """\
OTELKIT["requests"]["engine"] is "upstream", but opentelemetry-instrumentation-django is not installed.
Install it with:  pip install 'otelkit[upstream]'   or take the setting out."""
_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"


def follow_requests(config: Requests, aggregator: Aggregator, undo: ExitStack) -> list[str]:
    """Puts upstream's middleware in, and leaves its taking out with ``undo``; gives back what to tell about it.

    Raises ConfigError where the package is not installed.
    """
    if not is_installed(_PACKAGE):
        raise ConfigError([_MISSING])
    undo.callback(_ask_for_stable_names())
    from django.conf import settings

    before = settings.MIDDLEWARE
    # A copy: upstream inserts into the very list of the project, and takes only one of its two middlewares out again.
    settings.MIDDLEWARE = list(before)
    undo.callback(setattr, settings, "MIDDLEWARE", before)
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    instrumentor = DjangoInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        return ["requests: upstream's instrumentation was active already and stays as it was set up"]
    instrumentor.instrument(
        tracer_provider=trace.get_tracer_provider(),
        meter_provider=AggregatingMeterProvider(aggregator),
        excluded_urls=excluded_urls(config.excluded_paths),
    )
    undo.callback(instrumentor.uninstrument)
    notes = ["requests: followed by opentelemetry-instrumentation-django; no access line, query counts or phases"]
    if not is_installed("opentelemetry.instrumentation.asgi"):
        notes.append("requests: under ASGI upstream follows none until opentelemetry-instrumentation-asgi is installed")
    return notes


def _ask_for_stable_names() -> Callable[[], None]:
    """Upstream reads the variable once, when the first instrumentation starts; then only a new process could change its mind."""
    before = os.environ.get(_OPT_IN)
    words = [word.strip() for word in (before or "").split(",") if word.strip()]
    if not {"http", "http/dup"} & set(words):
        os.environ[_OPT_IN] = ",".join([*words, "http"])

    def restore() -> None:
        if before is None:
            os.environ.pop(_OPT_IN, None)
        else:
            os.environ[_OPT_IN] = before

    return restore


def excluded_urls(paths: Sequence[str]) -> str:
    """Our excluded paths as upstream wants them: regular expressions, joined by commas, that it looks for in the absolute URL."""
    found = []
    for path in paths:
        # A comma would end the expression; no path that is worth excluding needs it.
        name = re.escape(path.rstrip("/")).replace(",", ".")
        found.append(f"^https?://[^/]+{name}/" if path.endswith("/") else f"^https?://[^/]+{name}/?$")
    return ",".join(found)


class AggregatingMeterProvider(metrics.MeterProvider):
    """Takes measurements that have a metric in our catalogue into our aggregator, and drops others."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator = aggregator

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,  # noqa: ARG002  (OpenTelemetry's signature)
    ) -> metrics.Meter:
        """A meter for any instrumentation."""
        return _Meter(self._aggregator, name, version, schema_url)


class _Meter(metrics.NoOpMeter):
    def __init__(self, aggregator: Aggregator, name: str, version: str | None, schema_url: str | None) -> None:
        super().__init__(name, version, schema_url)
        self._aggregator = aggregator

    def create_histogram(self, name: str, unit: str = "", description: str = "", **rest: Any) -> metrics.Histogram:
        if name == HTTP_SERVER_REQUEST_DURATION.name:
            return _Duration(self._aggregator.histogram(HTTP_SERVER_REQUEST_DURATION))
        return super().create_histogram(name, unit, description, **rest)

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> metrics.UpDownCounter:
        if name == HTTP_SERVER_ACTIVE_REQUESTS.name:
            return _Active(self._aggregator.counter(HTTP_SERVER_ACTIVE_REQUESTS))
        return super().create_up_down_counter(name, unit, description)


class _Duration(metrics.NoOpHistogram):
    def __init__(self, instrument: Histogram) -> None:
        super().__init__(instrument.metric.name)
        self._instrument = instrument

    def record(self, amount: int | float, attributes: Attributes = None, context: Context | None = None) -> None:
        span = trace.get_current_span(context).get_span_context()
        self._instrument.record(amount, _labels(self._instrument, attributes), span)


class _Active(metrics.NoOpUpDownCounter):
    def __init__(self, instrument: Counter) -> None:
        super().__init__(instrument.metric.name)
        self._instrument = instrument

    def add(self, amount: int | float, attributes: Attributes = None, context: Context | None = None) -> None:  # noqa: ARG002  (its signature)
        self._instrument.add(amount, _labels(self._instrument, attributes))


def _labels(instrument: Counter | Histogram, attributes: Attributes) -> LabelValues:
    given: Any = attributes or {}
    return tuple(given.get(label.name) for label in instrument.metric.labels)
