"""What must be seen soon after the start: a first trace, and a first order that went through all services."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from otelkit_demo.manifest import GATEWAY, INVENTORY, NOTIFICATIONS, ORDERS, PAYMENTS
from otelkit_demo.snapshot import Observer

FIRST_TRACE_SECONDS = 10.0
"""How soon after the services are ready they must be there (acceptance E1)."""

ON_THE_WAY_OF_AN_ORDER = frozenset(service.name for service in (GATEWAY, ORDERS, INVENTORY, PAYMENTS, NOTIFICATIONS))

_PERIOD_S = 0.3


class Milestones:
    """Watches for them, and has a line to say about each; about one that does not come in time, too."""

    def __init__(self, observer: Observer, services: Set[str], logs: Path) -> None:
        self._observer = observer
        self._logs = logs
        self._next_s = 0.0
        self._late = False
        self._missing: dict[str, Set[str]] = {"First trace": frozenset()}
        if services >= ON_THE_WAY_OF_AN_ORDER:
            self._missing["First order through all services"] = ON_THE_WAY_OF_AN_ORDER

    def news(self) -> list[str]:
        """What has happened since it was last asked. Cheap when asked often."""
        elapsed_s = self._observer.elapsed_s
        if not self._missing or elapsed_s < self._next_s:
            return []
        self._next_s = elapsed_s + _PERIOD_S
        lines = []
        for what, services in [*self._missing.items()]:
            if address := self._observer.first_trace(services):
                del self._missing[what]
                lines.append(f"{what} after {elapsed_s:.1f} s: {address}")
        if self._missing and not self._late and elapsed_s > FIRST_TRACE_SECONDS:
            self._late = True
            waits = " and ".join(self._missing).lower()
            lines.append(f"No {waits} in {FIRST_TRACE_SECONDS:g} s. What the services say is in {self._logs}.")
        return lines
