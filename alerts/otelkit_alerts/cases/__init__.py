"""What each alert must do, situation by situation: the table that promtool's unit tests are generated from."""

from __future__ import annotations

from collections.abc import Mapping

from otelkit_alerts.cases import access, api, calls, demo, events, resilience, sagas, slo, tasks, telemetry, traffic
from otelkit_alerts.cases.model import Suite

SUITES: Mapping[str, Suite] = {
    "slo": slo.SUITE,
    "traffic": traffic.SUITE,
    "resilience": resilience.SUITE,
    "calls": calls.SUITE,
    "events": events.SUITE,
    "tasks": tasks.SUITE,
    "sagas": sagas.SUITE,
    "access": access.SUITE,
    "api": api.SUITE,
    "telemetry": telemetry.SUITE,
    "demo": demo.SUITE,
}
"""The suites by the name of their file."""
