"""What the project records through the OpenTelemetry metrics API, read when somebody exports.

As with spans (:mod:`otelkit.traces.provider`) the global provider can be set once: ours is set once and stays. What comes and goes is the
reader, which holds the aggregated values: without one the SDK keeps nothing. Where the project has set an SDK provider of its own, our
reader joins it beside the project's.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import HistogramDataPoint, MetricReader, MetricsData, ScopeMetrics
from opentelemetry.sdk.resources import Resource

from otelkit.catalog.metrics import (
    HTTP_CLIENT_REQUEST_DURATION,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
)
from otelkit.metrics.guarded import guarded
from otelkit.traces.provider import exports_by_itself

logger = logging.getLogger("otelkit.metrics")

OVERFLOW_ATTRIBUTE = "otel.metric.overflow"
LONGEST_FORK_WAIT = 1.0
"""Seconds that a fork waits for a collection that runs just then."""
LONGEST_CALLBACKS_MS = 5_000

_HAS_LIMITS = "cardinality_limits" in inspect.signature(MetricReader.__init__).parameters
_INSTRUMENTS = (Counter, Histogram, ObservableCounter, ObservableGauge, ObservableUpDownCounter, UpDownCounter)


_TWICE = {
    **dict.fromkeys(
        ("opentelemetry.instrumentation.django", "opentelemetry.instrumentation.wsgi", "opentelemetry.instrumentation.asgi"),
        frozenset(
            metric.name
            for metric in (
                HTTP_SERVER_REQUEST_DURATION,
                HTTP_SERVER_ACTIVE_REQUESTS,
                HTTP_SERVER_REQUEST_BODY_SIZE,
                HTTP_SERVER_RESPONSE_BODY_SIZE,
            )
        ),
    ),
    **dict.fromkeys(
        ("opentelemetry.instrumentation.requests", "opentelemetry.instrumentation.httpx"), frozenset({HTTP_CLIENT_REQUEST_DURATION.name})
    ),
}
"""Scope -> its metrics that say under the same name, with other labels, what the kit records itself."""


class InstrumentReader(MetricReader):
    """Hands out the SDK's current values when it is asked, with at most ``series_cap`` series a metric."""

    def __init__(self, series_cap: int, on_overflow: Callable[[str, int], None], *, keeps_all: bool = False) -> None:
        """``keeps_all`` is for a kit that leaves requests to OpenTelemetry's instrumentation."""
        # Gauges recorded synchronously have a class that the SDK does not export; they keep its own limit of 2000.
        limits: dict[str, Any] = {"cardinality_limits": dict.fromkeys(_INSTRUMENTS, series_cap)} if _HAS_LIMITS else {}
        super().__init__(**limits)
        self._on_overflow = on_overflow
        self._twice = {} if keeps_all else _TWICE
        self._taken: MetricsData | None = None
        self._in_overflow: dict[str, float] = {}

    def read(self) -> Sequence[ScopeMetrics]:
        """The current values, by instrumentation scope."""
        self._taken = None
        self.collect(LONGEST_CALLBACKS_MS)
        if self._taken is None:
            return ()
        scopes = [self._once(scope) for resource in self._taken.resource_metrics for scope in resource.scope_metrics]
        for name, level in _overflow_levels(scopes):
            self._note_overflow(name, level)
        return scopes

    def _once(self, scope: ScopeMetrics) -> ScopeMetrics:
        twice = self._twice.get(scope.scope.name)
        return replace(scope, metrics=[metric for metric in scope.metrics if metric.name not in twice]) if twice else scope

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:  # noqa: ARG002
        self._taken = metrics_data

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing waits here."""

    def _note_overflow(self, name: str, level: float | tuple[float]) -> None:
        before = self._in_overflow.get(name)
        if isinstance(level, tuple):  # a histogram says how many measurements overflowed
            self._in_overflow[name] = level[0]
            measurements = int(level[0] - (before or 0))
        else:  # a sum does not: that it moved is at least one
            self._in_overflow[name] = level
            measurements = int(level != before)
        if measurements > 0:
            self._on_overflow(name, measurements)


def _overflow_levels(scopes: Sequence[ScopeMetrics]) -> Iterator[tuple[str, float | tuple[float]]]:
    for scope in scopes:
        for metric in scope.metrics:
            for point in metric.data.data_points:
                if (point.attributes or {}).get(OVERFLOW_ATTRIBUTE) is True:
                    yield metric.name, (point.count,) if isinstance(point, HistogramDataPoint) else getattr(point, "value", 0.0)


class KitMeterProvider(MeterProvider):
    """The SDK's provider, which tells when somebody wants a meter, and whose instruments raise for nothing."""

    was_asked = False
    on_asked: Callable[[], None] | None = None

    def get_meter(self, *args: Any, **kwargs: Any) -> metrics.Meter:
        """A meter as the API describes it."""
        self.was_asked = True
        if self.on_asked is not None:
            self.on_asked()
        return guarded(super().get_meter(*args, **kwargs))


_provider: KitMeterProvider | None = None
"""Ours, once it was set."""
_joined: MeterProvider | None = None
"""The provider that the reader reads now."""
_reader: InstrumentReader | None = None
_make_reader: Callable[[], InstrumentReader] | None = None
_beside: dict[Callable[[], Sequence[ScopeMetrics]], bool] = {}
_reading = Lock()
_hooked_forks = False


def switch_on(series_cap: int, on_overflow: Callable[[str, int], None], *, keeps_all: bool = False) -> str:
    """Begins to aggregate, and says in words whose provider makes the instruments."""
    global _provider, _joined, _reader, _make_reader
    current = metrics.get_meter_provider()
    if exports_by_itself(trace.get_tracer_provider()):  # it makes both providers, and this one does not say so
        return "opentelemetry-instrument's meter provider, with its exporters and its resource"
    if isinstance(current, MeterProvider):
        provider = current
    elif _provider is None and type(current).__name__ == "_ProxyMeterProvider":
        # No exit hook of its own, and no resource detection: the exporter adds our resource, and leaves in a bounded time.
        provider = _provider = KitMeterProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
        metrics.set_meter_provider(provider)
    else:
        return f"the project's {type(current).__name__}, which otelkit cannot read"
    _make_reader = lambda: InstrumentReader(series_cap, on_overflow, keeps_all=keeps_all)  # noqa: E731  (remembered for child processes)
    with _reading:
        _joined, _reader = provider, _make_reader()
        provider.add_metric_reader(_reader)
    _hook_forks()
    whose = "otelkit's meter provider" if provider is _provider else "the project's own meter provider, which our reader joined"
    return whose if _HAS_LIMITS else f"{whose}; without a cap on series, which needs opentelemetry-sdk 1.45.2 or newer"


def wait(first_use: Callable[[], None]) -> None:
    """Calls ``first_use`` when the project asks for a meter, which is now where it has done so or has a provider of its own."""
    if _joined is None:
        return
    if _provider is not _joined or _provider.was_asked:
        first_use()
    else:
        _provider.on_asked = first_use


def switch_off() -> None:
    """Stops aggregating and forgets the values; instruments go on to work, and keep nothing."""
    global _joined, _reader, _make_reader
    with _reading:
        if _joined is not None and _reader is not None:
            _joined.remove_metric_reader(_reader)
        _joined = _reader = _make_reader = None
    if _provider is not None:
        _provider.on_asked = None


def beside(source: Callable[[], Sequence[ScopeMetrics]], *, pushed_only: bool) -> Callable[[], None]:
    """Reads this, too, from now on; ``pushed_only`` where a scrape shows it anyway. It must not raise. What comes back ends it."""
    _beside[source] = pushed_only

    def end() -> None:
        _beside.pop(source, None)

    return end


def read(*, pushed: bool = False) -> Sequence[ScopeMetrics]:
    """The current values of everything recorded through the API, by scope, and of what stands beside; empty when off. Does not raise."""
    others = [scope for source, pushed_only in list(_beside.items()) if pushed or not pushed_only for scope in source()]
    return [*_read(), *others] if others else _read()


def _read() -> Sequence[ScopeMetrics]:
    with _reading:
        if _reader is None:
            return ()
        try:
            return _reader.read()
        except Exception:
            # For example a callback of the project that takes too long. The SDK keeps the values: the next reading has them.
            logger.warning("Metrics recorded through OpenTelemetry could not be read this time.", exc_info=True)
            return ()


def _hook_forks() -> None:
    global _hooked_forks
    if not _hooked_forks:
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
        _hooked_forks = True


_paused = False


def _before_fork() -> None:
    # The SDK holds locks while it collects. Forked at that moment, the child would inherit them locked, for ever.
    global _paused
    _paused = _reading.acquire(timeout=LONGEST_FORK_WAIT)


def _after_fork_in_parent() -> None:
    if _paused:
        _reading.release()


def _after_fork_in_child() -> None:
    """A fresh reader: what was recorded before the fork is the parent's to send."""
    global _reading, _joined, _reader
    _reading = Lock()
    if _joined is None or _reader is None:
        return
    if not _paused:  # a collection was under way in the parent: its locks cannot be trusted here
        _joined = _reader = None
        logger.warning(
            "This child process was forked while metrics were being read; it does not export those recorded through OpenTelemetry."
        )
        return
    renew()


def renew() -> None:
    """Forgets what was recorded so far."""
    global _reader
    if _joined is not None and _reader is not None and _make_reader is not None:
        _joined.remove_metric_reader(_reader)
        _reader = _make_reader()
        _joined.add_metric_reader(_reader)
