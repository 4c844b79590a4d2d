"""Each fault that promises an alert fires it in time, and the alert ends when the fault does. All but the quickest take minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit_demo.alerts import Firing, firing_alerts
from otelkit_demo.faults import FAULTS, Alarm, Fault
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo, running_demo

LOUD = [fault for fault in FAULTS if fault.alarm]
QUICK = ("auth.brute_force", "broker.poison", "readyz.fail")
"""Alerts that look back on seconds, at the demo's pace."""
CLEARS = 300.0
"""Seconds within which an alert must end: the longest window that it looks back on, and what it keeps firing."""


def promised(fault: Fault) -> tuple[Alarm, Firing]:
    assert fault.alarm
    return fault.alarm, Firing(fault.alarm.name, fault.alarm.service)


@pytest.mark.parametrize("fault", [fault for fault in LOUD if fault.name in QUICK], ids=lambda fault: fault.name)
def test_a_quick_alert_fires(demo: RunningDemo, fault: Fault):
    """D4, the half of it that takes seconds."""
    alarm, alert = promised(fault)
    demo.faults.set(fault.name, 1)
    try:
        demo.place_order()
        wait_until(lambda: alert in firing_alerts(demo.url("stack")), alarm.within_s, f"{fault.name} did not fire {alert}", every=0.5)
    finally:
        demo.faults.clear()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo of its own with enough load for ratios to mean something."""
    with running_demo(tmp_path_factory.mktemp("busy") / "data", "--load", "10", "--minutes", "120") as running:
        yield running


@pytest.mark.soak
@pytest.mark.parametrize("fault", LOUD, ids=lambda fault: fault.name)
def test_a_fault_fires_its_alert_in_time_and_clearing_it_ends_the_alert(busy: RunningDemo, fault: Fault):
    """D4."""
    alarm, alert = promised(fault)
    stack = busy.url("stack")
    wait_until(lambda: alert not in firing_alerts(stack), CLEARS, f"{alert} fires although nothing is wrong", every=1)
    busy.faults.set(fault.name, 1)
    try:
        wait_until(lambda: alert in firing_alerts(stack), alarm.within_s, f"{fault.name} did not fire {alert}", every=1)
    finally:
        busy.faults.clear()
    wait_until(lambda: alert not in firing_alerts(stack), CLEARS, f"{alert} goes on although {fault.name} was cleared", every=1)


@pytest.mark.soak
def test_nothing_fires_while_nothing_is_wrong(tmp_path: Path):
    """The silent case: an alert that always fires is none."""
    with running_demo(tmp_path / "data", "--load", "4", "--minutes", "10") as calm:
        assert calm.process.wait(900) == 0
        with calm.queries as queries:
            told = {change.labels["alertname"] for change in queries.alert_history(limit=-1) if change.after == "firing"}
    assert told <= {"Watchdog"}
