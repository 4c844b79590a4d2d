"""Each fault of the demo, set on living containers, fires the alert it names, and clearing it ends the alert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otelkit.catalog import labels as l
from otelkit.catalog.naming import label_name
from otelkit_demo.faults import FAULTS, Fault
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack, composed_stack

pytestmark = pytest.mark.containers

CLEARS = 240.0
"""Seconds within which an alert must end: the longest window that it looks back on at the demo's pace, and what it keeps firing."""


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposedStack]:
    with composed_stack(LOAD_MINUTES="30", LOAD_RATE="8") as running:
        yield running


def alerts(stack: ComposedStack, fault: Fault) -> list[dict[str, Any]]:
    """The alerts of the fault's name about the faulty service that Alertmanager holds."""
    return [
        alert
        for alert in stack.alertmanager.alerts()
        if alert["labels"]["alertname"] == fault.alert and alert["labels"].get(label_name(l.SERVICE_NAME)) == fault.service
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fires_its_alert_in_time_and_clearing_it_ends_the_alert(stack: ComposedStack, fault: Fault):
    """D4, with the real Prometheus and Alertmanager."""
    tell = ("exec", "--no-TTY", fault.service, "python", "-m", "otelkit_demo", "fault")
    wait_until(lambda: not alerts(stack, fault), CLEARS, f"{fault.alert} fires although nothing is wrong")
    stack.compose(*tell, "set", fault.name, "1")
    try:
        fired = wait_until(lambda: alerts(stack, fault), fault.within_s, f"{fault.name} did not fire {fault.alert}", every=1)
    finally:
        stack.compose(*tell, "clear", fault.name)
    assert fired[0]["annotations"]["runbook_url"].endswith(fault.runbook.rpartition("/")[2])
    wait_until(lambda: not alerts(stack, fault), CLEARS, f"{fault.alert} goes on although {fault.name} was cleared", every=1)
