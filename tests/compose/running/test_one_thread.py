"""One order through six services, in containers, found again in the real backends: one thread through all signals.

Grafana and Tempo stay out: their images cannot be had everywhere, and the Collector must manage without them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from typing import Any

import pytest

from otelkit.catalog import labels as l
from otelkit.catalog import metrics as m
from otelkit.catalog.naming import family_name, label_name, series_name
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack
from tests.compose.running.ordering import ARRIVES, Order, loki_lines

pytestmark = pytest.mark.containers

ROUTES = {"gateway": "/api/{version}/checkout", "orders": "/api/v2/orders", "inventory": "/reservations", "payments": "/payments"}
"""Services that a checkout asks by POST, and the route of each."""
SERVICES = tuple(ROUTES)
DURATION = family_name(m.HTTP_SERVER_REQUEST_DURATION)


def test_the_order_was_placed(order: Order):
    assert order.status == 201
    assert order.body["sku"] == "tea-assam"


@pytest.mark.parametrize("service", SERVICES)
def test_the_duration_sample_of_each_service_is_in_prometheus(stack: ComposedStack, order: Order, service: str):
    query = f'{series_name(m.HTTP_SERVER_REQUEST_DURATION)}{{service_name="{service}", http_route="{ROUTES[service]}"}}'
    samples = wait_until(lambda: stack.prometheus.query(query), ARRIVES, f"{service} has no duration sample in Prometheus")
    assert sum(float(sample["value"][1]) for sample in samples) >= 1
    labels = samples[0]["metric"]
    assert labels[label_name(l.SERVICE_NAMESPACE)] == "shop"
    assert labels[label_name(l.DEPLOYMENT_ENVIRONMENT_NAME)] == stack.environment.get("ENVIRONMENT", "demo")
    assert set(map(label_name, (label for label in l.PROMOTED))) <= set(labels), "Prometheus promotes what the catalogue says"


@pytest.mark.parametrize("service", SERVICES)
def test_an_exemplar_of_the_duration_leads_to_the_trace(stack: ComposedStack, order: Order, service: str):
    def ids() -> set[str]:
        found = stack.prometheus.exemplars(f'{DURATION}_bucket{{service_name="{service}"}}')
        return {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}

    wait_until(lambda: order.trace_id in ids(), ARRIVES, f"no exemplar of {service} carries the trace {order.trace_id}")


def test_the_collector_derives_metrics_from_every_span(stack: ComposedStack, order: Order):
    wanted = (
        'service_name="gateway", span_kind="SPAN_KIND_SERVER", http_route="/api/{version}/checkout"',
        'service_name="orders", span_kind="SPAN_KIND_CLIENT", service_peer_name="inventory"',
        'service_name="inventory", span_kind="SPAN_KIND_SERVER", http_route="/reservations"',
        'service_name="inventory", span_kind="SPAN_KIND_CLIENT", db_system_name="postgresql", db_namespace="inventory"',
        'service_name="notifications", span_kind="SPAN_KIND_CONSUMER"',
    )
    for matchers in wanted:
        query = f"traces_span_metrics_calls_total{{{matchers}}}"
        for sample in wait_until(partial(stack.prometheus.query, query), ARRIVES, f"no series {query}"):
            # A worker's name on these series would outlive the worker, and there would be a set of series for each.
            assert not {"service_instance_id", "host_name", "collector_instance_id"} & set(sample["metric"])


def test_every_line_of_the_trace_is_in_loki(stack: ComposedStack, order: Order, written: Counter[tuple[str, str]]):
    """What `docker compose logs` shows for the trace is what Loki answers for it, line for line."""
    assert {service for service, _message in written} >= {*SERVICES, "notifications"}, f"standard output holds {written}"
    query = f'{{service_namespace="shop"}} | trace_id="{order.trace_id}"'
    stored: Counter[tuple[str, str]] = Counter()

    def complete() -> bool:
        nonlocal stored
        stored = loki_lines(stack, query)
        return stored.total() >= written.total()

    wait_until(complete, ARRIVES, f"Loki has not all of {written}")
    assert stored == written


def test_rules_are_loaded_and_the_watchdog_reaches_alertmanager(stack: ComposedStack, order: Order):
    def evaluated() -> list[dict[str, Any]]:
        rules = stack.prometheus.rules()
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else []

    rules = wait_until(evaluated, 120.0, "Prometheus has no rules, or has not evaluated all of them")
    assert [rule for rule in rules if rule["health"] != "ok"] == []

    def fires() -> bool:
        return any(alert["labels"]["alertname"] == "Watchdog" and alert["state"] == "firing" for alert in stack.prometheus.alerts())

    wait_until(fires, ARRIVES, "Watchdog does not fire")

    def arrived() -> bool:
        return any(alert["labels"]["alertname"] == "Watchdog" for alert in stack.alertmanager.alerts())

    wait_until(arrived, ARRIVES, "Watchdog fires and Alertmanager does not know")


@pytest.mark.parametrize("service", SERVICES)
def test_target_info_says_who_a_service_is(stack: ComposedStack, order: Order, service: str):
    # Without an instance are the Collector's own, of the metrics that it derives from spans.
    query = f'target_info{{service_name="{service}", instance!=""}}'
    for sample in wait_until(lambda: stack.prometheus.query(query), ARRIVES, f"no {query}"):
        labels = sample["metric"]
        assert labels["job"] == f"shop/{service}"
        assert re.fullmatch(rf"{service}(-\w+)?:\d+", labels["instance"]), "replicas and companions have names of their own"
        assert labels["telemetry_distro_name"] == "otelkit"


def test_the_collector_queues_traces_for_the_tempo_that_is_not_there(stack: ComposedStack, order: Order):
    """Nothing is dropped and nothing else suffers: the queue on disk grows, and no exporter failed to put something into its own."""
    queued = 'otelcol_exporter_queue_size{exporter="otlp_grpc/tempo"} > 0'
    wait_until(lambda: stack.prometheus.query(queued), 2 * ARRIVES, "the queue for Tempo is empty")
    # Failed to enqueue is a counter that first appears with the first failure.
    assert stack.prometheus.query('{__name__=~"otelcol_exporter_enqueue_failed_.+"} > 0') == []


def test_the_collector_warns_of_no_deprecated_name(stack: ComposedStack, order: Order):
    warnings = [line for line in stack.json_lines("collector") if line["level"] != "info"]
    assert [line for line in warnings if "deprecat" in json.dumps(line).lower() or "alias" in json.dumps(line).lower()] == []
    # The one thing it may complain about is the Tempo that was left out.
    assert [line for line in warnings if "tempo" not in json.dumps(line)] == []


def test_the_watch_says_how_long_the_start_took(stack: ComposedStack):
    said = wait_until(
        lambda: [text for text in [stack.compose("logs", "--no-log-prefix", "stack-ready")] if "ready." in text], 60.0, "no word"
    )
    assert "The stack is ready." in said[0]
    assert "tempo" not in said[0]


def test_the_generated_load_is_answered(stack: ComposedStack, order: Order):
    """The load ended by itself, and what it placed can be read back from the metrics."""
    query = f'sum({series_name(m.HTTP_SERVER_REQUEST_DURATION)}{{service_name="gateway", http_response_status_code=~"2.."}})'
    wait_until(lambda: [s for s in stack.prometheus.query(query) if float(s["value"][1]) > 5], ARRIVES, "the load was not served")
