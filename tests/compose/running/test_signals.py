"""The manifest's tables against the real backends: every signal of every service, and who calls whom."""

from __future__ import annotations

import pytest

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_PEER_NAME
from otelkit.catalog.naming import label_name, series_names
from otelkit.catalog.span_metrics import CALLS, DURATION
from otelkit_demo.manifest import EDGES, SIGNAL_MATRIX, Edge, Signals
from tests.backends import seen_at_last
from tests.compose.composed_stack import ComposedStack
from tests.compose.running.ordering import ARRIVES, Order, loki_lines

pytestmark = pytest.mark.containers

of_each_service = pytest.mark.parametrize("signals", SIGNAL_MATRIX, ids=lambda signals: signals.service)


@of_each_service
def test_every_span_of_the_matrix_is_counted_in_prometheus(stack: ComposedStack, signals: Signals):
    def see() -> set[tuple[str, str]]:
        found = stack.prometheus.series(f'{CALLS}{{{label_name(SERVICE_NAME)}="{signals.service}"}}')
        return {(series["span_kind"].removeprefix("SPAN_KIND_"), series["span_name"]) for series in found}

    seen_at_last(set(signals.spans), see, ARRIVES, every=0.5)


@of_each_service
def test_every_metric_of_the_matrix_is_in_prometheus(stack: ComposedStack, signals: Signals):
    labels = {
        label_name(SERVICE_NAME): signals.service,
        label_name(SERVICE_NAMESPACE): "shop",
        label_name(DEPLOYMENT_ENVIRONMENT_NAME): "demo",
    }
    matchers = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    wanted = {name for metric in signals.metrics for name in series_names(metric)}
    seen_at_last(wanted, lambda: {series["__name__"] for series in stack.prometheus.series(f"{{{matchers}}}")}, ARRIVES, every=0.5)


@of_each_service
def test_every_log_line_of_the_matrix_is_in_loki(stack: ComposedStack, signals: Signals):
    def see() -> set[str]:
        query = f'{{{label_name(SERVICE_NAME)}="{signals.service}"}}'
        return {said for message in signals.log_lines for _service, said in loki_lines(stack, f"{query} |= `{message}`")}

    seen_at_last(set(signals.log_lines), see, ARRIVES, every=0.5)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.caller}-{edge.callee}-{edge.server_span}")
def test_both_ends_of_an_edge_are_in_the_order_s_trace(stack: ComposedStack, order: Order, edge: Edge):
    """By the exemplars of the metrics of spans: the trace itself is Tempo's, which is not here."""
    callee = f', {label_name(SERVICE_PEER_NAME)}="{edge.callee}"' if edge.client_kind == "CLIENT" else ""
    ends = {
        f'service_name="{edge.caller}", span_kind="SPAN_KIND_{edge.client_kind}", span_name="{edge.client_span}"{callee}',
        f'service_name="{edge.callee}", span_kind="SPAN_KIND_{edge.server_kind}", span_name="{edge.server_span}"',
    }

    def see() -> set[str]:
        return {end for end in ends if order.trace_id in traces(stack, f"{DURATION}_bucket{{{end}}}")}

    seen_at_last(ends, see, ARRIVES, every=0.5)


def traces(stack: ComposedStack, series: str) -> set[str]:
    """Ids of the traces that exemplars of these series lead to."""
    return {one["labels"]["trace_id"] for found in stack.prometheus.exemplars(series) for one in found["exemplars"]}
