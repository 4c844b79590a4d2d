"""Which alerts fire, as the embedded stack says."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass

from otelkit.catalog import labels as l
from otelkit.catalog.naming import label_name

TIMEOUT = 2.0
ALWAYS_FIRES = "Watchdog"
"""It says that alerts arrive at all, and nothing of the shop."""

# The stack is next door; a proxy that the machine uses for the world outside does not know it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True, order=True)
class Firing:
    """One alert that fires. ``service`` is empty where it speaks of none."""

    name: str
    service: str

    def __str__(self) -> str:
        return f"{self.name} {self.service}".rstrip()


def firing_alerts(stack: str) -> tuple[Firing, ...]:
    """Every alert of the stack at that address that fires now, without the one that always does. Empty where it does not answer."""
    try:
        with _OPENER.open(f"{stack}/api/v1/alerts", timeout=TIMEOUT) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except (OSError, ValueError):
        return ()
    found = {
        Firing(alert["labels"]["alertname"], alert["labels"].get(label_name(l.SERVICE_NAME), ""))
        for alert in alerts
        if alert["state"] == "firing"
    }
    return tuple(sorted(alert for alert in found if alert.name != ALWAYS_FIRES))
