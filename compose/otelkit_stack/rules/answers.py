"""Rules and alerts in the shape of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otelkit_stack.go_text import answered, scientific
from otelkit_stack.promql.durations import text
from otelkit_stack.records import AlertChange
from otelkit_stack.rules.alert import Alert
from otelkit_stack.rules.group import GroupState, RuleState
from otelkit_stack.rules.model import AlertingRule, Rule
from otelkit_stack.rules.times import time_text


def rules(groups: Iterable[GroupState]) -> dict[str, Any]:
    """The ``data`` of ``/api/v1/rules``."""
    return {"groups": [group(one, one.rules) for one in groups]}


def group(state: GroupState, its_rules: Iterable[RuleState], *, with_alerts: bool = True) -> dict[str, Any]:
    """One group, with those of its rules."""
    return {
        "name": state.group.name,
        "file": state.group.file,
        "rules": [_rule(one, with_alerts=with_alerts) for one in its_rules],
        "interval": _seconds(state.interval_ms),
        "limit": state.group.limit,
        "evaluationTime": state.duration_s,
        "lastEvaluation": time_text(state.last_ms),
    }


def files(groups: Iterable[GroupState]) -> dict[str, list[dict[str, Any]]]:
    """Groups by their files, as Loki's ruler writes them in YAML."""
    found: dict[str, list[dict[str, Any]]] = {}
    for state in groups:
        its = state.group
        rules_of = [_as_written(one.rule) for one in state.rules]
        interval = {} if its.interval_ms is None else {"interval": text(its.interval_ms)}
        found.setdefault(its.file, []).append({"name": its.name, **interval, "rules": rules_of})
    return found


def change(one: AlertChange) -> dict[str, Any]:
    """A step of an alert, of the stack's own history."""
    return {
        "time": time_text(one.time_ns // 1_000_000),
        "rule": one.rule,
        "labels": one.labels,
        "before": one.before,
        "after": one.after,
        "value": answered(one.value),
    }


def alerts(groups: Iterable[GroupState]) -> dict[str, Any]:
    """The ``data`` of ``/api/v1/alerts``: what waits and what fires."""
    states = [state.alerting for group in groups for state in group.rules if state.alerting is not None]
    return {"alerts": [_alert(alert) for alerting in states for alert in alerting.active()]}


def _rule(state: RuleState, *, with_alerts: bool) -> dict[str, Any]:
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
        "alerts": [_alert(alert) for alert in state.alerting.active()] if with_alerts else None,
        "type": "alerting",
    }


def _as_written(rule: Rule) -> dict[str, Any]:
    labels = {"labels": dict(rule.labels)} if rule.labels else {}
    if not isinstance(rule, AlertingRule):
        return {"record": rule.name, "expr": rule.expression, **labels}
    holds = {"for": text(rule.hold_ms)} if rule.hold_ms else {}
    keeps = {"keep_firing_for": text(rule.keep_firing_ms)} if rule.keep_firing_ms else {}
    annotations = {"annotations": dict(rule.annotations)} if rule.annotations else {}
    return {"alert": rule.name, "expr": rule.expression, **holds, **keeps, **labels, **annotations}


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
