"""Parts of runbooks and README that are generated, so that what people read at night is what Prometheus evaluates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME
from otelkit.catalog.naming import label_name
from otelkit_alerts.model import Alert, Recording
from otelkit_alerts.prometheus import laid_out

_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_SHORT = {label_name(SERVICE_NAME): "service", label_name(DEPLOYMENT_ENVIRONMENT_NAME): "environment"}


def runbook(text: str, alerts: Sequence[Alert]) -> str:
    """The runbook of alerts that share a name, with front matter and rules as they are now.

    Raises ValueError where it has no front matter or no region for the rules.
    """
    first = alerts[0]
    if not _FRONT_MATTER.match(text):
        raise ValueError(f"{first.runbook} must begin with front matter: a line ---, anything, and a line ---.")
    severities = dict.fromkeys(alert.severity.value for alert in alerts)
    matter = {
        "alert": first.name,
        "severity": ", ".join(severities),
        "category": first.category.value,
        "board": f"{first.board.title} ({first.board.uid})",
    }
    front = "".join(f"{key}: {value}\n" for key, value in matter.items())
    return with_region(_FRONT_MATTER.sub(lambda _: f"---\n{front}---\n", text), "rules", _rules(alerts), first.runbook)


def readme(text: str, alerts: Sequence[Alert], recordings: Sequence[Recording]) -> str:
    """The README with its tables of alerts and of recorded series. Raises ValueError where a region is missing."""
    rows = [_alert_row(tuple(same)) for _, same in groupby(alerts, key=lambda alert: alert.name)]
    series = {recording.series.name: recording.series.help for recording in recordings}
    text = with_region(text, "alerts", _table(("alert", "severity", "says"), rows), "README.md")
    return with_region(
        text, "recordings", _table(("series", "meaning"), [(f"`{name}`", meaning) for name, meaning in series.items()]), "README.md"
    )


def with_region(text: str, name: str, content: str, file: str) -> str:
    """The text with everything between the marks of a region replaced. Raises ValueError where the marks are missing."""
    marks = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError(f"{file} needs the lines <!-- generated: {name} --> and <!-- end of {name} --> where this part belongs.")
    return marks.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def _rules(alerts: Sequence[Alert]) -> str:
    rows = []
    for alert in alerts:
        told_apart = ", ".join(f"{name}={value}" for name, value in alert.labels.items() if _differs(name, alerts))
        rows.append((alert.severity.value, told_apart or "-", alert.hold or "at once", alert.keep_firing or "-"))
    expressions = "\n\n".join(laid_out(alert.expr) for alert in alerts)
    return f"{_table(('severity', 'rule', 'held for', 'outlives its condition by'), rows)}\n\n```promql\n{expressions}\n```"


def _differs(label: str, alerts: Sequence[Alert]) -> bool:
    return len({alert.labels.get(label) for alert in alerts}) > 1


def _alert_row(alerts: Sequence[Alert]) -> tuple[str, str, str]:
    severities = ", ".join(dict.fromkeys(alert.severity.value for alert in alerts))
    says = " ".join(dict.fromkeys(_spoken(alert.summary) for alert in alerts))
    return f"[{alerts[0].name}](runbooks/{alerts[0].runbook})", severities, says


def _spoken(template: str) -> str:
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: f"*{_SHORT.get(match[1], match[1])}*", template)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
