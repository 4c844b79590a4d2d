"""The rule groups, by subject. To add one, write a module with ``groups(pace)`` and name it here."""

from __future__ import annotations

from otelkit_alerts.groups import events, resilience, slo, tasks, telemetry, traffic
from otelkit_alerts.model import Alert, Group
from otelkit_alerts.pace import PRODUCTION, Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """Every rule group at this pace, in the order in which they depend on one another."""
    return (
        *slo.groups(pace),
        *traffic.groups(pace),
        *resilience.groups(pace),
        *events.groups(pace),
        *tasks.groups(pace),
        *telemetry.groups(pace),
    )


def alerts(pace: Pace = PRODUCTION) -> tuple[Alert, ...]:
    """Every alerting rule at this pace."""
    return tuple(alert for group in groups(pace) for alert in group.alerts)
