"""Telemetry: whether what every other alert reads can be believed."""

from __future__ import annotations

from otelkit.catalog.boards import TELEMETRY_HEALTH
from otelkit.catalog.labels import ERROR_TYPE, REASON, SERVICE_INSTANCE_ID, SIGNAL
from otelkit.catalog.metrics import EXPORT_DURATION, TARGET_INFO, TELEMETRY_DROPPED
from otelkit.catalog.objectives import EXPORT_ERROR_RATIO
from otelkit.catalog.promql import always, differs, increase, present, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit.catalog.recorded import SERVICE as SERVICE_LABELS
from otelkit_alerts.groups.about import AMOUNT, ENVIRONMENT, SERVICE, SHARE, THIS_SERVICE, of_alert, same, share_above
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace

_PIPELINE_OWNER = "observability"
"""``team`` of the alert that is about no service."""


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-telemetry``."""
    return (Group("otelkit-telemetry", pace.interval, (_telemetry_missing(pace), _dropped(pace), _export_errors(pace), _watchdog())),)


def _telemetry_missing(pace: Pace) -> Alert:
    seen = present(TARGET_INFO, by=OWNED_SERVICE, window=pace.seen_within)
    # Not unless_on(OWNED_SERVICE): a service that gets another owner is not missing.
    seen_now = present(TARGET_INFO, by=SERVICE_LABELS, window=pace.recent)
    return Alert(
        name="ServiceTelemetryMissing",
        severity=Severity.CRITICAL,
        category=Category.TELEMETRY,
        expr=seen.unless_on(SERVICE_LABELS, seen_now),
        hold=pace.missing_hold,
        summary=f"{SERVICE} in {ENVIRONMENT} reports nothing any more.",
        description=(
            f"{SERVICE} reported within the last {pace.seen_within}, but not in the last {pace.recent}: no other alert about it can fire. "
            "Look first whether its processes run. If they do, look whether other services went silent too: "
            "then the collector is down, not the service."
        ),
        first_look=present(TARGET_INFO, by=[SERVICE_INSTANCE_ID], where=THIS_SERVICE, window=pace.seen_within),
        board=TELEMETRY_HEALTH,
    )


def _dropped(pace: Pace) -> Alert:
    # "unreachable" counts points of metrics only, and the next export says those again: nothing is lost.
    lost = differs(REASON, "unreachable")
    return Alert(
        name="TelemetryExportFailing",
        severity=Severity.WARNING,
        category=Category.TELEMETRY,
        expr=increase(TELEMETRY_DROPPED, by=[*OWNED_SERVICE, SIGNAL, REASON], where=[lost], window=pace.loss_window) > 0,
        hold=pace.loss_hold,
        labels={"symptom": "dropped"},
        summary=f"{SERVICE} in {ENVIRONMENT} loses {of_alert(SIGNAL)}.",
        description=(
            f"{SERVICE} gave up about {AMOUNT} items of {of_alert(SIGNAL)} in the last {pace.loss_window}; reason: {of_alert(REASON)}. "
            "Look first what the reason means in the runbook: a full queue points at the collector or the network, "
            "a refusal at what was sent."
        ),
        first_look=increase(TELEMETRY_DROPPED, by=[SERVICE_INSTANCE_ID, SIGNAL, REASON], where=THIS_SERVICE, window=pace.loss_window),
        board=TELEMETRY_HEALTH,
    )


def _export_errors(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, SIGNAL]
    exports = rate(EXPORT_DURATION, by=by, window=pace.recent)
    failed = rate(EXPORT_DURATION, by=by, where=[differs(ERROR_TYPE, "")], window=pace.recent)
    return Alert(
        name="TelemetryExportFailing",
        severity=Severity.WARNING,
        category=Category.TELEMETRY,
        expr=share_above(EXPORT_ERROR_RATIO, failed, exports, by),
        hold=pace.export_error_hold,
        labels={"symptom": "errors"},
        summary=f"{SERVICE} in {ENVIRONMENT} fails to export {of_alert(SIGNAL)}.",
        description=(
            f"{SHARE} of the exports of {of_alert(SIGNAL)} by {SERVICE} failed in the last {pace.recent}; what waits is kept until the "
            "queue is full. Look first at the error types: `retry` means that the collector cannot be reached or is busy, "
            "anything else that it refuses."
        ),
        first_look=rate(
            EXPORT_DURATION,
            by=[ERROR_TYPE],
            where=[*THIS_SERVICE, same(SIGNAL)],
            window=pace.recent,
        ),
        board=TELEMETRY_HEALTH,
        measures_ratio=True,
    )


def _watchdog() -> Alert:
    return Alert(
        name="Watchdog",
        severity=Severity.NONE,
        category=Category.TELEMETRY,
        expr=always(),
        summary="Prometheus evaluates rules and reaches Alertmanager.",
        description=(
            "This alert always fires. Send it to a dead man's switch that pages when it stops: "
            "only then is the silence of all other alerts good news."
        ),
        first_look=always(),
        board=TELEMETRY_HEALTH,
        owner=_PIPELINE_OWNER,
    )
