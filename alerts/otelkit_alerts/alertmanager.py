"""What Alertmanager should do with these alerts: a configuration to start from, with receivers to fill in."""

from __future__ import annotations

from typing import Any

from otelkit.catalog.labels import ALERTNAME, SEVERITY, SLO
from otelkit.catalog.naming import label_name
from otelkit.catalog.recorded import SERVICE
from otelkit_alerts.document import document
from otelkit_alerts.model import Severity

_SERVICE = [label_name(label) for label in SERVICE]


def snippet() -> str:
    """Routes by severity, and what need not be told while something worse is."""
    about = "Routes and inhibitions for the alerts of otelkit. Give each receiver a webhook_configs, email_configs, slack_configs, ..."
    return document({"route": _route(), "inhibit_rules": _inhibitions(), "receivers": [{"name": name} for name in _RECEIVERS]}, about=about)


_RECEIVERS = ("pager", "tickets", "nobody", "dead-mans-switch")


def _route() -> dict[str, Any]:
    return {
        "receiver": "tickets",
        "group_by": [label_name(ALERTNAME), *_SERVICE],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [
            # Repeated often: the switch must notice within minutes that it stopped.
            {
                "matchers": [f'{label_name(ALERTNAME)}="Watchdog"'],
                "receiver": "dead-mans-switch",
                "group_interval": "1m",
                "repeat_interval": "5m",
            },
            {"matchers": [_is(Severity.CRITICAL)], "receiver": "pager", "repeat_interval": "4h"},
            {"matchers": [_is(Severity.WARNING)], "receiver": "tickets"},
            {"matchers": [_is(Severity.INFO)], "receiver": "nobody"},
        ],
    }


def _inhibitions() -> list[dict[str, Any]]:
    name = label_name(ALERTNAME)
    return [
        # Who reports nothing cannot be judged: what else fires about it is a leftover.
        {
            "source_matchers": [f'{name}="ServiceTelemetryMissing"'],
            "target_matchers": [f'{name}!="ServiceTelemetryMissing"'],
            "equal": _SERVICE,
        },
        # Who was paged for an objective need not read the ticket about the same objective.
        {
            "source_matchers": [_is(Severity.CRITICAL)],
            "target_matchers": [_is(Severity.WARNING)],
            "equal": [name, label_name(SLO), *_SERVICE],
        },
    ]


def _is(severity: Severity) -> str:
    return f'{label_name(SEVERITY)}="{severity.value}"'
