"""Faults on the living demo: what a user sees, and what the telemetry shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from otelkit_demo.faults import INVENTORY_FAIL, INVENTORY_SLOW, SLOW_SECONDS
from otelkit_stack.records import ServiceRed
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo

ORDER = {"sku": "tea-sencha", "quantity": 1}


@pytest.fixture
def mended(demo: RunningDemo) -> Iterator[RunningDemo]:
    """The demo, whose faults are cleared afterwards."""
    yield demo
    demo.faults.clear()


def red_since(demo: RunningDemo, since_ns: int, condition: Callable[[dict[str, ServiceRed]], bool]) -> dict[str, ServiceRed]:
    """Per service, once the condition holds."""

    def look() -> dict[str, ServiceRed]:
        with demo.queries as queries:
            red = {line.service: line for line in queries.red(since_ns)}
        return red if red.keys() >= {"orders", "inventory"} and condition(red) else {}

    return wait_until(look, 20, "the requests did not arrive")


def test_slow_inventory_raises_the_p95_of_both_services(mended: RunningDemo):
    mended.faults.set(INVENTORY_SLOW.name, 1)
    since_ns = time.time_ns()

    answers = [mended.request("orders", "POST", "/orders", json=ORDER)[0] for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert all(answer.elapsed.total_seconds() >= SLOW_SECONDS for answer in answers)
    red = red_since(mended, since_ns, lambda red: red["inventory"].requests >= 3 and red["orders"].requests >= 3)
    assert red["inventory"].p95_s >= SLOW_SECONDS
    assert red["orders"].p95_s >= SLOW_SECONDS


def test_failing_inventory_is_a_502_for_the_customer_and_an_error_of_both_services(mended: RunningDemo):
    mended.faults.set(INVENTORY_FAIL.name, 1)
    since_ns = time.time_ns()

    answer, trace_id = mended.request("orders", "POST", "/orders", json=ORDER)

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "The goods could not be reserved: inventory answered 500."
    red = red_since(mended, since_ns, lambda red: red["inventory"].errors >= 1 and red["orders"].errors >= 1)
    assert red["inventory"].error_ratio > 0
    trace = mended.trace(trace_id, spans=5)
    (failed,) = (span for span in trace.spans if span.service == "inventory" and span.kind == "SERVER")
    assert failed.status == "ERROR"
    assert str(failed.attributes["error.type"]).endswith("LedgerUnreadableError")
    assert any(line.body == "order failed" and line.severity == "ERROR" for line in trace.logs)


def test_a_cleared_fault_is_over_with_the_next_request(mended: RunningDemo):
    mended.faults.set(INVENTORY_FAIL.name, 1)
    broken, _ = mended.request("orders", "POST", "/orders", json=ORDER)
    mended.faults.clear(INVENTORY_FAIL.name)
    whole, _ = mended.request("orders", "POST", "/orders", json=ORDER)
    assert (broken.status_code, whole.status_code) == (502, 201)
