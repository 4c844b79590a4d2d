"""Series as a service with otelkit sends them, for the tests of rules."""

from __future__ import annotations

from collections.abc import Mapping

from otelkit.catalog.labels import (
    CIRCUIT_BREAKER_NAME,
    CIRCUIT_BREAKER_STATE,
    ERROR_TYPE,
    HEALTH_CHECK,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    REASON,
    SERVICE_INSTANCE_ID,
    SIGNAL,
    Label,
)
from otelkit.catalog.metrics import (
    CIRCUIT_BREAKER_STATES,
    EXPORT_DURATION,
    HEALTH_CHECK_STATUS,
    HTTP_SERVER_REQUEST_DURATION,
    TARGET_INFO,
    TELEMETRY_DROPPED,
    Metric,
)
from otelkit.catalog.naming import bound_text, family_name, series_name
from otelkit.catalog.objectives import LATENCY_THRESHOLD
from otelkit_alerts.cases.model import Input, Service, series


def arrives(service: Service, metric: Metric, values: str, labels: Mapping[Label, str] | None = None) -> Input:
    """A series of the metric."""
    return Input(series(series_name(metric), {**service.labels, **(labels or {})}), values)


def answers(service: Service, values: str, *, status: str = "200") -> Input:
    """Requests that the service answered with this status."""
    labels = {**service.labels, HTTP_REQUEST_METHOD: "GET", HTTP_ROUTE: "/orders/{pk}", HTTP_RESPONSE_STATUS_CODE: status}
    return Input(series(series_name(HTTP_SERVER_REQUEST_DURATION), labels), values)


def quick_answers(service: Service, values: str) -> Input:
    """Those of the 200s that took at most LATENCY_THRESHOLD."""
    labels = {**service.labels, HTTP_REQUEST_METHOD: "GET", HTTP_ROUTE: "/orders/{pk}", HTTP_RESPONSE_STATUS_CODE: "200"}
    bound = f'le="{bound_text(LATENCY_THRESHOLD)}"'
    return Input(series(f"{family_name(HTTP_SERVER_REQUEST_DURATION)}_bucket", labels, bound), values)


def alive(service: Service, values: str) -> Input:
    """The sign of life of one worker."""
    return Input(series(series_name(TARGET_INFO), {**service.labels, SERVICE_INSTANCE_ID: "host:1"}), values)


def dropped(service: Service, values: str, *, signal: str = "traces", reason: str = "queue_full") -> Input:
    """Telemetry that the service gave up."""
    return Input(series(series_name(TELEMETRY_DROPPED), {**service.labels, SIGNAL: signal, REASON: reason}), values)


def exports(service: Service, values: str, *, signal: str = "traces", error: str = "") -> Input:
    """Exports that succeeded, or that failed with this error type."""
    labels = {**service.labels, SIGNAL: signal} | ({ERROR_TYPE: error} if error else {})
    return Input(series(series_name(EXPORT_DURATION), labels), values)


def checked(service: Service, values: str, *, worker: str = "host:1", check: str = "database") -> Input:
    """What one worker says of a health check."""
    return Input(series(series_name(HEALTH_CHECK_STATUS), {**service.labels, SERVICE_INSTANCE_ID: worker, HEALTH_CHECK: check}), values)


def breaker(service: Service, values: str, *, state: str = "closed", name: str = "inventory") -> Input:
    """Whether the circuit breaker of one worker is in this state."""
    labels = {**service.labels, SERVICE_INSTANCE_ID: "host:1", CIRCUIT_BREAKER_NAME: name, CIRCUIT_BREAKER_STATE: state}
    return Input(series(series_name(CIRCUIT_BREAKER_STATES), labels), values)
