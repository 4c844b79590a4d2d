"""Cases as promtool's unit tests read them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

from otelkit.catalog.naming import label_name
from otelkit_alerts.cases.model import Case, Check, Firing, Suite
from otelkit_alerts.document import document
from otelkit_alerts.groups import groups
from otelkit_alerts.links import Links
from otelkit_alerts.prometheus import annotations_of, labels_of

_TEMPLATE = re.compile(r"\{\{ \$(?:labels\.(?P<label>\w+)(?P<escaped> \| urlquery)?|value \|[^}]*) \}\}")


def unit_tests(suite: Suite, *, rule_file: str, links: Links) -> str:
    """The text of a file for ``promtool test rules``; ``rule_file`` is the path to the rules from the file's own folder."""
    content = {
        "rule_files": [rule_file],
        "evaluation_interval": suite.interval,
        # Alerts of one group read what others record; without this promtool evaluates groups in no order.
        "group_eval_order": [group.name for group in groups(suite.pace)],
        "tests": [_test(case, suite, links) for case in suite.cases],
    }
    return document(content, about=f"{suite.about} One test for each alert and situation.")


def expanded(template: str, firing: Firing) -> str:
    """The template as Prometheus fills it in for this alert: the few functions that our templates use, written a second time."""
    values = {label_name(label): value for label, value in firing.labels.items()} | dict(firing.alert.labels)

    def fill(match: re.Match[str]) -> str:
        if match["label"] is None:
            return firing.value
        value = values.get(match["label"], "")
        return quote_plus(value) if match["escaped"] else value

    return _TEMPLATE.sub(fill, template)


def _test(case: Case, suite: Suite, links: Links) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": case.name,
        "interval": suite.interval,
        "input_series": [{"series": arriving.series, "values": arriving.values} for arriving in case.inputs],
        "alert_rule_test": [_alert_test(case, check, links) for check in case.checks],
    }
    if case.samples:
        test["promql_expr_test"] = [
            {
                "expr": str(expected.expr),
                "eval_time": expected.at,
                "exp_samples": [{"labels": series, "value": value} for series, value in expected.samples],
            }
            for expected in case.samples
        ]
    return test


def _alert_test(case: Case, check: Check, links: Links) -> dict[str, Any]:
    return {"eval_time": check.at, "alertname": case.alert, "exp_alerts": [_expected(firing, links) for firing in check.firing]}


def _expected(firing: Firing, links: Links) -> dict[str, Any]:
    # An empty label is none: an alert about a service without owner has no team.
    of_series = {label_name(label): value for label, value in firing.labels.items()}
    of_rule = {name: expanded(text, firing) for name, text in labels_of(firing.alert).items()}
    texts = {name: expanded(text, firing) for name, text in annotations_of(firing.alert, links).items()}
    return {"exp_labels": {name: value for name, value in sorted((of_series | of_rule).items()) if value}, "exp_annotations": texts}
