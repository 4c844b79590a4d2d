"""Faults: what can be broken on purpose, what a user then sees, and which alert must wake somebody.

The flag file is JSON, a name and a share from 0 to 1: ``{"inventory.slow": 0.5}`` disturbs every second reservation.
Services read it before each disturbance, so a fault works within the next request and needs no restart.
"""

from __future__ import annotations

import difflib
import functools
import json
import logging
import os
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otelkit.catalog.objectives import LATENCY_THRESHOLD

log = logging.getLogger(__name__)

FLAG_FILE_VARIABLE = "OTELKIT_DEMO_FAULTS"
"""Environment variable with the path of the flag file. A service without it is never disturbed."""

SLOW_SECONDS = LATENCY_THRESHOLD + 0.4
"""Delay of ``inventory.slow``: above the latency objective, so that the alert sees it, and below the timeout of orders."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be broken. ``within_s`` is how many seconds after it is set the alert must fire, at share 1."""

    name: str
    service: str
    seen: str
    alert: str
    runbook: str
    within_s: int


INVENTORY_SLOW = Fault(
    name="inventory.slow",
    service="inventory",
    seen=f"Placing an order takes {SLOW_SECONDS:g} s longer.",
    alert="DjangoLatencyBudgetBurn",
    runbook="alerts/runbooks/django-latency-budget-burn.md",
    within_s=300,
)
INVENTORY_FAIL = Fault(
    name="inventory.fail",
    service="inventory",
    seen="Orders are refused with 502, because inventory answers 500.",
    alert="DjangoErrorBudgetBurn",
    runbook="alerts/runbooks/django-error-budget-burn.md",
    within_s=300,
)

FAULTS: tuple[Fault, ...] = (INVENTORY_SLOW, INVENTORY_FAIL)


class FaultError(ValueError):
    """A fault that cannot be set, and what to write instead."""


def fault_named(name: str) -> Fault:
    """The fault of that name. Raises FaultError with the nearest name."""
    known = {fault.name: fault for fault in FAULTS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f'Did you mean "{near[0]}"?' if near else f"Known are: {', '.join(known)}."
    raise FaultError(f'"{name}" is not a fault. {hint}')


class FlagFile:
    """The flag file, read and written. Reading costs one ``stat`` while the file does not change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._shares: Mapping[str, float] = {}

    def shares(self) -> Mapping[str, float]:
        """Name to share of every fault that is set. Empty without a file; the last readable state where it is broken."""
        try:
            status = self.path.stat()
        except OSError:
            self._stamp, self._shares = None, {}
            return self._shares
        # The inode too: a replaced file can have the size and, on a coarse clock, the time of the one before.
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._shares = _parsed(self.path.read_text())
            except (OSError, ValueError) as error:
                log.warning("flag file cannot be read, faults stay as they were", extra={"path": str(self.path), "reason": str(error)})
        return self._shares

    def strikes(self, fault: Fault) -> bool:
        """Whether the fault hits this time: true for its share of calls."""
        share = self.shares().get(fault.name, 0.0)
        return share > 0 and random.random() < share  # noqa: S311 - chance, not a secret

    def set(self, name: str, share: float) -> Fault:
        """Break ``share`` (0 to 1) of the calls from now on. Raises FaultError for an unknown name or another share."""
        fault = fault_named(name)
        if not 0 < share <= 1:
            raise FaultError(f"The share of {name} must be above 0 and at most 1; it is {share:g}. To end the fault: fault clear {name}")
        self._write({**self.shares(), name: share})
        return fault

    def clear(self, name: str | None = None) -> tuple[str, ...]:
        """End one fault, or all of them. Returns the names that were set. Raises FaultError for an unknown name."""
        before = dict(self.shares())
        ended = tuple(before) if name is None else tuple(set(before) & {fault_named(name).name})
        self._write({key: share for key, share in before.items() if key not in ended})
        return ended

    def _write(self, shares: Mapping[str, float]) -> None:
        # Replaced in one step, so that no service reads half a file.
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, prefix=".faults-", delete=False) as fresh:
            json.dump(shares, fresh, indent=2, sort_keys=True)
        Path(fresh.name).replace(self.path)


def _parsed(text: str) -> dict[str, float]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    shares: dict[str, float] = {}
    for name, share in content.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ValueError(f"the share of {name} must be between 0 and 1; it is {share!r}")
        shares[fault_named(name).name] = float(share)
    return shares


@functools.cache
def active_faults() -> FlagFile | None:
    """The flag file this process was started with, if any."""
    path = os.environ.get(FLAG_FILE_VARIABLE)
    return FlagFile(Path(path)) if path else None
