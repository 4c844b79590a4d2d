"""The demo's rules in a real Prometheus, telling a real Alertmanager about a service whose telemetry arrives over OTLP.

Each test waits for conditions, at most about three minutes in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit.catalog.promql import Expr
from otelkit.catalog.recorded import SLO_BUDGET_REMAINING, SLO_OBJECTIVE, read, slo_errors
from otelkit_alerts.__main__ import ROOM
from otelkit_alerts.pace import DEMO
from otelkit_alerts.slo import base_window
from tests.alerts.emitting import emitting
from tests.backends import Alertmanager, Prometheus, running_alertmanager, running_prometheus, wait_until

RULES = ROOM / "generated/prometheus/otelkit.demo.rules.yaml"
IDENTITY = {"service_name": "orders", "deployment_environment_name": "test & trial", "service_owner": "checkout team"}

pytestmark = pytest.mark.backends


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    with running_alertmanager(tmp_path) as running:
        yield running


@pytest.fixture
def prometheus(tmp_path: Path, alertmanager: Alertmanager) -> Iterator[Prometheus]:
    with running_prometheus(tmp_path, rules=[RULES], alertmanager_port=alertmanager.port) as running:
        yield running


def test_errors_page_within_a_minute_and_the_end_of_the_fault_is_told(prometheus: Prometheus, alertmanager: Alertmanager):
    """D4, of a fault that this test makes itself: healthy is silent, 30% errors fire, healthy again resolves."""
    ratio = read(slo_errors(base_window(DEMO)))
    with emitting(prometheus.otlp_endpoint) as service:
        wait_until(lambda: _values(prometheus, ratio) == {"availability": 0, "latency": 0}, 45, "a healthy service is not recorded as such")
        wait_until(lambda: alertmanager.notified("Watchdog", "firing"), 30, "the Watchdog never reached the webhook")
        assert _firing(prometheus) == {"Watchdog"}
        assert [rule["lastError"] for rule in prometheus.rules() if rule["health"] != "ok" and "lastError" in rule] == []

        service.error_share = 0.3
        told = wait_until(lambda: alertmanager.notified("DjangoErrorBudgetBurn", "firing"), 60, "30% errors paged nobody within a minute")
        page = told[0]
        assert page["labels"].items() >= {**IDENTITY, "team": "checkout team", "severity": "critical", "slo": "availability"}.items()
        assert page["annotations"]["summary"] == "orders in test & trial fails too many requests."
        assert page["annotations"]["dashboard_url"].endswith(
            "/d/otelkit-service-overview?var-environment=test+%26+trial&var-service=orders"
        )
        assert page["annotations"]["runbook_url"].endswith("/django-error-budget-burn.md")
        assert prometheus.query(page["annotations"]["query"]), "The first look of the alert shows nothing."
        assert "DjangoLatencyBudgetBurn" not in _firing(prometheus), "Quick errors are not slow."

        service.error_share = 0.0
        wait_until(lambda: alertmanager.notified("DjangoErrorBudgetBurn", "resolved"), 75, "the page was never resolved")
        spent = wait_until(lambda: _values(prometheus, read(SLO_BUDGET_REMAINING)), 35, "no budget was recorded")
        assert spent["availability"] < 0, "A minute of 30% errors overdraws a budget of 0.1%."
        assert spent["latency"] == pytest.approx(1)
        assert _values(prometheus, read(SLO_OBJECTIVE)) == {"availability": 0.999, "latency": 0.99}


def test_silence_is_told_first_of_requests_then_of_the_service(prometheus: Prometheus, alertmanager: Alertmanager):
    """A service that nobody reaches, and then one that is gone: each has its own alert."""
    with emitting(prometheus.otlp_endpoint) as service:
        wait_until(lambda: _values(prometheus, read(slo_errors(base_window(DEMO)))), 45, "the service is not recorded")
        service.requests = 0
        told = wait_until(lambda: alertmanager.notified("DjangoTrafficGone", "firing"), 75, "nobody was told that requests stopped")
        assert told[0]["labels"].items() >= IDENTITY.items()
        assert alertmanager.notified("ServiceTelemetryMissing", "firing") == []
    told = wait_until(
        lambda: alertmanager.notified("ServiceTelemetryMissing", "firing"), 75, "nobody was told that the service went silent"
    )
    assert told[0]["labels"].items() >= {**IDENTITY, "severity": "critical"}.items()
    wait_until(lambda: alertmanager.notified("DjangoTrafficGone", "resolved"), 30, "a dead service still counts as one without requests")


def _values(prometheus: Prometheus, expr: Expr) -> dict[str, float]:
    return {sample["metric"]["slo"]: float(sample["value"][1]) for sample in prometheus.query(str(expr))}


def _firing(prometheus: Prometheus) -> set[str]:
    return {alert["labels"]["alertname"] for alert in prometheus.alerts() if alert["state"] == "firing"}
