"""The rule groups, by subject. To add one, write a module with ``groups(pace)`` and name it here."""

from __future__ import annotations

from otelkit_alerts.groups import access, api, events, resilience, slo, tasks, telemetry, traffic
from otelkit_alerts.model import Alert, Group
from otelkit_alerts.pace import PRODUCTION, Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """Every rule group at this pace, in the order in which they depend on one another."""
    subjects = (slo, traffic, resilience, events, tasks, access, api, telemetry)
    return tuple(group for subject in subjects for group in subject.groups(pace))


def alerts(pace: Pace = PRODUCTION) -> tuple[Alert, ...]:
    """Every alerting rule at this pace."""
    return tuple(alert for group in groups(pace) for alert in group.alerts)
