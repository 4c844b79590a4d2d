"""The manifest against the living demo: every signal of every service. That calls and events join is in ``services/test_checkout.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, HTTP_ROUTE, SERVICE_NAME, SERVICE_NAMESPACE, UNMATCHED_ROUTE
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.naming import family_name, label_name, series_names
from otelkit.catalog.span_metrics import CALLS
from otelkit_demo.manifest import SERVICES, SIGNAL_MATRIX, Signals
from otelkit_stack.records import Trace
from tests.backends import seen_at_last, wait_until
from tests.demo_services.running_demo import RunningDemo

ARRIVES = 30.0
"""Seconds within which telemetry must be found."""

ON_THE_WAY = frozenset(service.name for service in SERVICES)
"""Services with a span in the trace of an order: all of them."""


@pytest.fixture(scope="session")
def placed(demo: RunningDemo) -> Trace:
    """The trace of one checkout, up to the notification that a worker has sent."""
    answer, trace_id = demo.place_order("cup-stoneware")
    assert answer.status_code == 201, answer.text

    def told() -> bool:
        with demo.queries as queries:
            return "notification sent" in {line.body for line in queries.logs(trace_id=trace_id, limit=-1)}

    wait_until(told, 30, f"nobody was told of the checkout {trace_id}")
    return demo.trace(trace_id, services=ON_THE_WAY)


def by_service(signals: Signals) -> str:
    return signals.service


@pytest.mark.parametrize("signals", SIGNAL_MATRIX, ids=by_service)
def test_every_span_of_the_matrix_is_seen(demo: RunningDemo, placed: Trace, signals: Signals):
    """By the metrics that the stack derives from spans: they count those of all traces."""
    with demo.queries as queries:

        def see() -> set[tuple[str, str]]:
            found = queries.series(CALLS, **{label_name(SERVICE_NAME): signals.service})
            return {(series.labels["span_kind"].removeprefix("SPAN_KIND_"), series.labels["span_name"]) for series in found}

        seen_at_last(set(signals.spans), see, ARRIVES)


@pytest.mark.parametrize("signals", SIGNAL_MATRIX, ids=by_service)
def test_every_log_line_of_the_matrix_is_seen(demo: RunningDemo, placed: Trace, signals: Signals):
    with demo.queries as queries:
        seen_at_last(set(signals.log_lines), lambda: {line.body for line in queries.logs(service=signals.service, limit=-1)}, ARRIVES)


@pytest.mark.parametrize("signals", SIGNAL_MATRIX, ids=by_service)
def test_every_metric_of_the_matrix_is_seen(demo: RunningDemo, placed: Trace, signals: Signals):
    wanted = {name for metric in signals.metrics for name in series_names(metric)}
    labels = {
        label_name(SERVICE_NAME): signals.service,
        label_name(SERVICE_NAMESPACE): "shop",
        label_name(DEPLOYMENT_ENVIRONMENT_NAME): "demo",
    }
    with demo.queries as queries:
        seen_at_last(wanted, lambda: {name for name in wanted if queries.series(name, **labels)}, ARRIVES)


def console_lines(demo: RunningDemo, trace_id: str) -> Iterator[dict[str, object]]:
    for log in (demo.folder / "logs").glob("*.log"):
        for line in log.read_text().splitlines():
            if trace_id in line and line.startswith("{"):
                yield json.loads(line)


def test_every_line_on_stdout_is_in_the_stack_and_points_to_a_span_of_the_trace(demo: RunningDemo, placed: Trace):
    """structlog and stdlib logging, servers, consumer and worker: the same keys, and no line lost on either road."""
    printed = sorted((str(line["message"]), str(line["span_id"])) for line in console_lines(demo, placed.trace_id))
    stored = sorted((line.body, str(line.span_id)) for line in placed.logs)
    assert printed == stored
    assert {"order received", "order placed", "stock reserved", "payment captured", "notification sent"} <= {said for said, _ in printed}
    assert {span_id for _, span_id in printed} <= {span.span_id for span in placed.spans}
    (received,) = (line for line in placed.logs if line.body == "order received")
    assert (received.attributes["sku"], received.attributes["quantity"]) == ("cup-stoneware", 1)
    (reserved,) = (line for line in placed.logs if line.body == "stock reserved")
    assert (reserved.attributes["sku"], reserved.attributes["quantity"]) == ("cup-stoneware", 1)


def test_an_exemplar_of_the_request_duration_leads_to_a_stored_trace(demo: RunningDemo, placed: Trace):
    name = family_name(HTTP_SERVER_REQUEST_DURATION) + "_bucket"
    with demo.queries as queries:
        exemplars = wait_until(lambda: queries.exemplars(name), 30, "no exemplar of the request duration arrived")
        traces = [queries.trace(exemplar.trace_id) for exemplar in exemplars if exemplar.trace_id]
    assert traces
    for exemplar, trace in zip(exemplars, traces, strict=True):
        assert trace is not None
        (span,) = (span for span in trace.spans if span.span_id == exemplar.span_id)
        assert span.kind == "SERVER"
        assert span.attributes.get(HTTP_ROUTE.name, UNMATCHED_ROUTE) == exemplar.labels[label_name(HTTP_ROUTE)]


def test_the_shell_s_variables_reach_no_service(demo: RunningDemo, placed: Trace):
    """OTEL_SERVICE_NAME of the shell would name all services alike; OTEL_SDK_DISABLED would silence them."""
    with demo.queries as queries:
        assert set(queries.services()) >= ON_THE_WAY
        assert "from-the-shell" not in queries.services()


def test_an_order_through_all_services_is_seen_and_how_soon_it_was(demo: RunningDemo):
    """E1: below ten seconds where nobody else uses the machine."""
    line = demo.wait_for_line("First order through all services after", 60)
    assert line.endswith(tuple("0123456789abcdef"))
    assert demo.url("stack") + "/traces/" in line


def test_the_demo_s_rules_are_evaluated_over_what_it_sends(demo: RunningDemo):
    """Every rule of the demo's pace gives an answer, and the watchdog fires."""

    def rules() -> list[dict[str, Any]]:
        groups = httpx.get(f"{demo.url('stack')}/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: {rule["health"] for rule in rules()} == {"ok"}, 30, "some rules were not evaluated")
    assert [rule["state"] for rule in rules() if rule["name"] == "Watchdog"] == ["firing"]
    recorded = {"query": 'service:slo_requests:rate20s{slo="availability"}'}

    def counted() -> set[str]:
        found = httpx.get(f"{demo.url('stack')}/api/v1/query", params=recorded).json()["data"]["result"]
        return {series["metric"]["service_name"] for series in found}

    wait_until(lambda: {"gateway", "orders"} <= counted(), 40, "the requests of gateway and orders are not counted")
