"""Rules as Prometheus reads them. The only module that knows the shape of a rule file."""

from __future__ import annotations

from typing import Any

from otelkit.catalog.labels import SEVERITY
from otelkit.catalog.naming import label_name
from otelkit.catalog.promql import Expr
from otelkit_alerts.document import document
from otelkit_alerts.links import Links
from otelkit_alerts.model import Alert, Group, Recording
from otelkit_alerts.pace import Pace


def rule_file(groups: tuple[Group, ...], pace: Pace, links: Links) -> str:
    """The text of a rule file; ``prometheus.yml`` names it under ``rule_files``."""
    about = f"Rules of otelkit at the pace of {pace.name}. Load one pace only: both record the same series."
    return document({"groups": [_group(group, links) for group in groups]}, about=about)


def labels_of(alert: Alert) -> dict[str, str]:
    """The labels that the rule adds, templates included, sorted."""
    own = {label_name(SEVERITY): alert.severity.value, "category": alert.category.value, "team": alert.owner}
    return dict(sorted({**alert.labels, **own}.items()))


def annotations_of(alert: Alert, links: Links) -> dict[str, str]:
    """What the alert says to people, templates included, in the order in which they read it."""
    return {
        "summary": alert.summary,
        "description": alert.description,
        "query": str(alert.first_look),
        "runbook_url": links.runbook(alert),
        "dashboard_url": links.board(alert),
    }


def laid_out(expr: Expr) -> str:
    """The expression with each condition on its own line."""
    text = str(expr)
    for operator in (" and on (", " unless on ("):
        text = text.replace(operator, "\n" + operator.lstrip())
    return text


def _group(group: Group, links: Links) -> dict[str, Any]:
    return {"name": group.name, "interval": group.interval, "rules": [_rule(rule, links) for rule in group.rules]}


def _rule(rule: Alert | Recording, links: Links) -> dict[str, Any]:
    if isinstance(rule, Recording):
        recording: dict[str, Any] = {"record": rule.series.name, "expr": laid_out(rule.expr)}
        return recording | ({"labels": dict(sorted(rule.labels.items()))} if rule.labels else {})
    return {
        "alert": rule.name,
        "expr": laid_out(rule.expr),
        **({"for": rule.hold} if rule.hold else {}),
        **({"keep_firing_for": rule.keep_firing} if rule.keep_firing else {}),
        "labels": labels_of(rule),
        "annotations": annotations_of(rule, links),
    }
