"""Since when alerts were active before the stack was started, read from the series that it wrote then."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.storage import STALE_BITS, Series, Storage
from otelkit_stack.rules.alerting import FOR_STATE, AlertingState
from otelkit_stack.selectors.matchers import Matcher


def restore(alerting: AlertingState, storage: Storage, now: int, outage_ms: int, grace_ms: int) -> None:
    """Move the alerts' beginnings back to what they were, the time that the stack was away not counted as waiting.

    An alert that would fire within the grace waits as long as the grace. Rules that wait less than that are left alone.
    """
    if alerting.rule.hold_ms >= grace_ms:
        known = {series.labels.drop((METRIC_NAME,)): series for series in _series(alerting, storage, now - outage_ms, now)}
        for labels, alert in alerting.alerts.items():
            if labels in known:
                alert.active_at = _active_at(known[labels], alert.active_at, alerting.rule.hold_ms, now, grace_ms)
    alerting.is_restored = True


def _series(alerting: AlertingState, storage: Storage, start: int, end: int) -> Iterable[Series]:
    asked = {METRIC_NAME: FOR_STATE, "alertname": alerting.rule.name}
    # A template has another value in each alert, so it tells nothing about the series.
    asked |= {name: value for name, value in alerting.rule.labels if "{{" not in value}
    return storage.select([Matcher(name, "=", value) for name, value in asked.items()], start, end)


def _active_at(series: Series, active_at: int, hold_ms: int, now: int, grace_ms: int) -> int:
    value = float(series.values[-1])
    if int(np.float64(value).view(np.uint64)) == STALE_BITS or not math.isfinite(value):
        return active_at  # it was not active when the stack went down
    down_at = int(series.timestamps[-1]) // 1000 * 1000
    was_active_at = int(value) * 1000
    remaining = hold_ms - (down_at - was_active_at)
    if remaining <= 0:
        return was_active_at
    return now + grace_ms - hold_ms if remaining < grace_ms else was_active_at + now - down_at
