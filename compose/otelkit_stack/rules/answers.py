"""Rules and alerts in the shape of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otelkit_stack.promql.go_text import scientific
from otelkit_stack.rules.alert import Alert
from otelkit_stack.rules.group import GroupState, RuleState
from otelkit_stack.rules.model import AlertingRule
from otelkit_stack.rules.times import time_text


def rules(groups: Iterable[GroupState]) -> dict[str, Any]:
    """The ``data`` of ``/api/v1/rules``."""
    return {
        "groups": [
            {
                "name": group.group.name,
                "file": group.group.file,
                "rules": [_rule(state) for state in group.rules],
                "interval": _seconds(group.interval_ms),
                "limit": group.group.limit,
                "evaluationTime": group.duration_s,
                "lastEvaluation": time_text(group.last_ms),
            }
            for group in groups
        ]
    }


def alerts(groups: Iterable[GroupState]) -> dict[str, Any]:
    """The ``data`` of ``/api/v1/alerts``: what waits and what fires."""
    states = [state.alerting for group in groups for state in group.rules if state.alerting is not None]
    return {"alerts": [_alert(alert) for alerting in states for alert in alerting.active()]}


def _rule(state: RuleState) -> dict[str, Any]:
    rule = state.rule
    shared = {
        "name": rule.name,
        "query": rule.expression,
        "labels": dict(rule.labels),
        "health": state.health,
        **({"lastError": state.error} if state.error else {}),
        "evaluationTime": state.duration_s,
        "lastEvaluation": time_text(state.last_ms),
    }
    if not isinstance(rule, AlertingRule):
        return {**shared, "type": "recording"}
    assert state.alerting is not None
    return {
        "state": state.alerting.state.value,
        **shared,
        "duration": _seconds(rule.hold_ms),
        "keepFiringFor": _seconds(rule.keep_firing_ms),
        "annotations": dict(rule.annotations),
        "alerts": [_alert(alert) for alert in state.alerting.active()],
        "type": "alerting",
    }


def _alert(alert: Alert) -> dict[str, Any]:
    keeps = {} if alert.keep_firing_since is None else {"keepFiringSince": time_text(alert.keep_firing_since)}
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state.value,
        "activeAt": time_text(alert.active_at),
        **keeps,
        "value": scientific(alert.value),
    }


def _seconds(milliseconds: int) -> float:
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
