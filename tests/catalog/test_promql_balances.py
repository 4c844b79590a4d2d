"""Builders that boards need beside rates: balances, ages, extremes."""

from __future__ import annotations

import pytest

from otelkit.catalog import promql as q
from otelkit.catalog.labels import SERVICE_NAME, SIGNAL
from otelkit.catalog.metrics import EXPORT_DURATION, PROCESS_UPTIME, TARGET_INFO, TELEMETRY_CREATED, TELEMETRY_QUEUED


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (q.accumulated(TELEMETRY_CREATED, by=[SIGNAL]), "sum by (signal) (otelkit_telemetry_created_total)"),
        (q.minimum(PROCESS_UPTIME, by=[SERVICE_NAME]), "min by (service_name) (process_uptime_seconds)"),
        (q.newest(TARGET_INFO, by=[SERVICE_NAME]), "max by (service_name) (timestamp(target_info))"),
        (
            q.now() - q.newest(TARGET_INFO, window="1h"),
            "time() - (max(timestamp(target_info)) or max(max_over_time(timestamp(target_info)[1h:1m])))",
        ),
        (q.lowest(q.total(TELEMETRY_QUEUED)), "min(sum(otelkit_telemetry_queued))"),
        (q.farthest_from_zero(q.number(1) - 2), "max(abs(1 - 2))"),
    ],
)
def test_the_text_is_what_one_would_write_by_hand(expression: q.Expr, text: str) -> None:
    assert str(expression) == text


def test_only_a_counter_accumulates() -> None:
    with pytest.raises(TypeError, match=r"accumulated\(\) needs a counter, but otelkit.telemetry.queued is a up down counter. Use total"):
        q.accumulated(TELEMETRY_QUEUED)
    with pytest.raises(TypeError, match=r"otelkit.export.duration is a histogram. Use rate"):
        q.accumulated(EXPORT_DURATION)


def test_a_counter_has_no_minimum() -> None:
    with pytest.raises(TypeError, match=r"minimum\(\) needs"):
        q.minimum(TELEMETRY_CREATED)
