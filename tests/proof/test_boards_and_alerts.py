"""The boards show data, and the alerts fire and clear, on what the running demo really sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from otelkit.catalog.boards import BOARDS
from otelkit.catalog.labels import HTTP_ROUTE, SERVICE_NAME
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, METRICS, TARGET_INFO
from otelkit.catalog.naming import label_name, series_name, series_names
from otelkit_dashboards.panels import Language
from otelkit_dashboards.queries import every_query
from otelkit_demo.manifest import SERVICES, SIGNAL_MATRIX
from tests.backends import Alertmanager, Prometheus, running_alertmanager, running_prometheus, wait_until
from tests.demo_services.running_demo import RunningDemo, running_demo
from tests.demo_services.test_manifest import ON_THE_WAY

pytestmark = pytest.mark.backends

REQUESTS = series_name(HTTP_SERVER_REQUEST_DURATION)
RULES = Path(__file__).parents[2] / "alerts" / "generated" / "prometheus" / "otelkit.demo.rules.yaml"
BURNING = "DjangoErrorBudgetBurn"


@dataclass(frozen=True, slots=True)
class Scene:
    """The demo, with its metrics going to the real Prometheus, whose alerts go to the real Alertmanager."""

    demo: RunningDemo
    prometheus: Prometheus
    alertmanager: Alertmanager


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("proof")
    rules = [RULES]
    with (
        running_alertmanager(folder) as alertmanager,
        running_prometheus(folder, rules=rules, alertmanager_port=alertmanager.port) as prometheus,
        running_demo(folder / "demo", "--load", "8", "--metrics-to", f"{prometheus.otlp_endpoint}/v1/metrics") as demo,
    ):
        yield Scene(demo, prometheus, alertmanager)


def test_every_panel_has_data(scene: Scene):
    """D1: every PromQL query of every board returns data on the demo's telemetry, errors included."""
    scene.demo.faults.set("inventory.fail", 0.3)
    services = "|".join(service.name for service in SERVICES)
    asked = [signals.service for signals in SIGNAL_MATRIX if any(kind == "SERVER" for kind, _ in signals.spans)]  # notifications listens
    for service in asked:
        old_enough = f'max(count_over_time({REQUESTS}{{service_name="{service}"}}[5m])) >= 6'
        wait_until(lambda query=old_enough: scene.prometheus.query(query), 90, f"six exports of {service}")
    scene.demo.faults.clear()
    route = scene.prometheus.query(f'topk(1, {REQUESTS}{{service_name="orders", http_route!="unmatched"}})')[0]["metric"][
        label_name(HTTP_ROUTE)
    ]
    variables = {"service": services, "environment": "demo", "route": route, "__rate_interval": "1m", "__range": "5m"}
    drawn = [query for query in every_query(variables) if query.language is Language.PROMQL]
    assert {query.board for query in drawn} == {board.uid for board in BOARDS}
    empty = [query for query in drawn if not scene.prometheus.query(query.expression) and not query.may_be_empty]
    assert empty == [], "\n".join(f"{query.board} / {query.panel}: {query.expression}" for query in empty)


def test_prometheus_holds_the_catalogue_and_nothing_else(scene: Scene):
    """D2: every name that the demo's services send is in the catalogue."""
    services = "|".join(service.name for service in SERVICES)

    def stored() -> set[str]:
        return {series["__name__"] for series in scene.prometheus.series(f'{{service_name=~"{services}", __name__!~"ALERTS.*|.*:.*"}}')}

    wanted = set(series_names(HTTP_SERVER_REQUEST_DURATION))
    wait_until(lambda: wanted <= stored(), 90, "the services' requests are in Prometheus")
    assert stored() <= {name for metric in (*METRICS, TARGET_INFO) for name in series_names(metric)}


def test_a_duration_leads_to_its_trace(scene: Scene):
    """An exemplar in Prometheus names a trace that the stack keeps, with all spans of the services and every log line of it."""
    answer, trace_id = scene.demo.place_order("tea-assam")
    assert answer.status_code == 201, answer.text
    trace = scene.demo.trace(trace_id, services=ON_THE_WAY)
    assert {span.kind for span in trace.spans} >= {"SERVER", "CLIENT"}
    assert {span.service for span in trace.spans} == ON_THE_WAY

    def told() -> list[str]:
        return [
            exemplar["labels"]["trace_id"]
            for series in scene.prometheus.exemplars(f'{series_names(HTTP_SERVER_REQUEST_DURATION)[0]}{{service_name="gateway"}}')
            for exemplar in series["exemplars"]
        ]

    wait_until(lambda: told() or None, 30, "an exemplar in Prometheus")
    with scene.demo.queries as queries:
        assert any(queries.trace(found) for found in told())


def test_a_fault_fires_its_alert_and_the_alert_clears(scene: Scene):
    """D4: inventory fails, the burn alert fires in Prometheus and reaches Alertmanager; repaired, it is resolved there too."""
    name = label_name(SERVICE_NAME)
    scene.demo.faults.set("inventory.fail", 1.0)
    try:
        wait_until(
            lambda: [
                alert for alert in scene.prometheus.alerts() if alert["labels"]["alertname"] == BURNING and alert["state"] == "firing"
            ],
            150,
            f"{BURNING} fires in Prometheus",
            every=1,
        )
        fired = wait_until(lambda: scene.alertmanager.notified(BURNING, "firing"), 60, f"{BURNING} reaches Alertmanager")
        assert {"inventory", "orders", "gateway"} >= {alert["labels"][name] for alert in fired}
        assert all(alert["annotations"]["runbook_url"] and alert["annotations"]["dashboard_url"] for alert in fired)
    finally:
        scene.demo.faults.clear()
    wait_until(
        lambda: not [alert for alert in scene.prometheus.alerts() if alert["labels"]["alertname"] == BURNING],
        300,
        f"{BURNING} clears",
        every=1,
    )
    wait_until(lambda: scene.alertmanager.notified(BURNING, "resolved"), 60, f"{BURNING} is resolved in Alertmanager")


def test_the_watchdog_always_fires(scene: Scene):
    wait_until(lambda: scene.alertmanager.notified("Watchdog", "firing"), 60, "Watchdog reaches Alertmanager")
