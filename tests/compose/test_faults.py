"""Each fault of the demo, set on living containers, fires the alert it names, and clearing it ends the alert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otelkit.catalog import labels as l
from otelkit.catalog.naming import label_name
from otelkit_demo.faults import BAD_VERSION, FAULTS, Alarm, Fault
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack, composed_stack

pytestmark = pytest.mark.containers

CLEARS = 300.0
"""Seconds within which an alert must end: the longest window that it looks back on at the demo's pace, and what it keeps firing."""


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposedStack]:
    # The canary is the version that the fault deploy.bad_version strikes in: well, until the fault is set.
    with composed_stack(LOAD_MINUTES="60", LOAD_RATE="8", CATALOG_CANARY_VERSION=BAD_VERSION) as running:
        yield running


LOUD = [fault for fault in FAULTS if fault.alarm]
OTHERWISE = ("inventory.deadlock", "broker.poison", "readyz.fail", "deploy.bad_version")
"""Faults that are another thing here than on a laptop: PostgreSQL ends them, RabbitMQ carries them, a balancer or a container answers."""


def alerts(stack: ComposedStack, alarm: Alarm) -> list[dict[str, Any]]:
    """The alerts of that name about that service that Alertmanager holds."""
    return [
        alert
        for alert in stack.alertmanager.alerts()
        if alert["labels"]["alertname"] == alarm.name and alert["labels"].get(label_name(l.SERVICE_NAME)) == alarm.service
    ]


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.name, marks=() if fault.name in OTHERWISE else pytest.mark.soak) for fault in LOUD]
)
def test_a_fault_fires_its_alert_in_time_and_clearing_it_ends_the_alert(stack: ComposedStack, fault: Fault):
    """D4, with the real Prometheus and Alertmanager."""
    alarm = fault.alarm
    assert alarm is not None
    tell = ("exec", "--no-TTY", "gateway", "python", "-m", "otelkit_demo", "fault")
    wait_until(lambda: not alerts(stack, alarm), CLEARS, f"{alarm.name} fires although nothing is wrong")
    stack.compose(*tell, "set", fault.name, "1")
    try:
        fired = wait_until(lambda: alerts(stack, alarm), alarm.within_s, f"{fault.name} did not fire {alarm.name}", every=1)
    finally:
        stack.compose(*tell, "clear", fault.name)
    assert fired[0]["annotations"]["runbook_url"].endswith(alarm.runbook.rpartition("/")[2])
    wait_until(lambda: not alerts(stack, alarm), CLEARS, f"{alarm.name} goes on although {fault.name} was cleared", every=1)
