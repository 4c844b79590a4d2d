"""One running stack for all tests that look at it or order something, and one order that has the telemetry to itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit.catalog import logs
from otelkit.catalog import metrics as m
from otelkit.catalog.naming import series_name
from otelkit.catalog.span_metrics import CALLS
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack, composed_stack
from tests.compose.running.ordering import ARRIVES, WRITERS, Order, check_out


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side, because the stack is taken down when a test of another folder is next."""
    items.sort(key=lambda item: Path(__file__).parent in item.path.parents)


@pytest.fixture(scope="package")
def stack() -> Iterator[ComposedStack]:
    """The stack, a quarter minute of load, and then nobody but the tests."""
    with composed_stack(LOAD_MINUTES="0.25") as running:
        yield running


@pytest.fixture(scope="package", autouse=True)
def order(stack: ComposedStack) -> Order:
    """One order whose trace id we chose, like a gateway in front of the shop would.

    Before it the load has ended, and it is counted before anything else is asked: an exemplar is one of many requests, and here it must
    be this one.
    """
    wait_until(lambda: "Exited (0)" in stack.compose("ps", "--all", "--format", "{{.Status}}", "load"), 60.0, "the load did not end well")
    before = _counted_alike(stack, 0)
    placed = check_out(stack)
    _counted_alike(stack, before + 1)
    return placed


@pytest.fixture(scope="package", autouse=True)
def written(stack: ComposedStack, order: Order) -> Counter[tuple[str, str]]:
    """(service, message) of every line that containers wrote of the order, read before a test replaces one, whose log goes with it."""
    seen: list[Counter[tuple[str, str]]] = [Counter()]

    def settled() -> bool:
        lines = [line for line in stack.json_lines(*WRITERS) if line.get(logs.TRACE_ID) == order.trace_id]
        seen.append(Counter((str(line["service.name"]), str(line[logs.MESSAGE])) for line in lines))
        return ("notifications", "notification sent") in seen[-1] and seen[-1] == seen[-2]

    wait_until(settled, ARRIVES, "the customer was not told", every=1)
    return seen[-1]


def _counted_alike(stack: ComposedStack, at_least: int) -> int:
    """Requests to the gateway, once its own metric and the spans that the Collector counted agree: then all has arrived."""
    metric = f'sum({series_name(m.HTTP_SERVER_REQUEST_DURATION)}{{service_name="gateway"}})'
    spans = f'sum({CALLS}{{service_name="gateway", span_kind="SPAN_KIND_SERVER"}})'

    def agreed() -> int | None:
        counts = {int(float(sample["value"][1])) for query in (metric, spans) for sample in stack.prometheus.query(query)}
        return counts.pop() if len(counts) == 1 and min(counts) >= max(at_least, 1) else None

    return wait_until(agreed, 90.0, "the requests to the gateway and their spans are not counted alike") or 0
