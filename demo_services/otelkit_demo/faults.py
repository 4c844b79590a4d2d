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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otelkit.catalog.objectives import LATENCY_THRESHOLD
from otelkit_demo.files import replace_file

log = logging.getLogger(__name__)

FLAG_FILE_VARIABLE = "OTELKIT_DEMO_FAULTS"
"""Environment variable with the path of the flag file. A service without it is never disturbed."""

SLOW_SECONDS = LATENCY_THRESHOLD + 0.4
"""Delay of the slow faults: above the latency objective, so that the alert sees it, and below the timeouts of callers."""

VERSION_VARIABLE = "OTELKIT_DEMO_VERSION"
"""Environment variable with the version that a service runs. The runner says the same in ``service.version``."""

GOOD_VERSION, BAD_VERSION = "1.4.0", "1.5.0"
"""What the services run, and what ``deploy.bad_version`` deploys: the fault strikes in processes of that version alone."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alert that must fire about ``service``, and how many seconds after the fault is set, at share 1."""

    name: str
    service: str
    within_s: int

    @property
    def runbook(self) -> str:
        """Path of the alert's runbook in the project: the alert's name in words."""
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.name)
        return f"alerts/runbooks/{words.lstrip('-')}.md"


@dataclass(frozen=True, slots=True)
class Silence:
    """Why no alert fires: a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be broken: in which service, what a user or operator sees, and who is woken."""

    name: str
    service: str
    seen: str
    promise: Alarm | Silence

    @property
    def alarm(self) -> Alarm | None:
        """The promised alert, None where the fault is silent."""
        return self.promise if isinstance(self.promise, Alarm) else None


def _errors(service: str) -> Alarm:
    return Alarm("DjangoErrorBudgetBurn", service, 300)


def _slowness(service: str) -> Alarm:
    return Alarm("DjangoLatencyBudgetBurn", service, 300)


PAYMENTS_FAIL = Fault("payments.fail", "payments", "Checkouts are refused with 502, and the reserved goods go back.", _errors("payments"))
PAYMENTS_SLOW = Fault("payments.slow", "payments", f"Checking out takes {SLOW_SECONDS:g} s longer.", _slowness("payments"))
PAYMENTS_UNREACHABLE = Fault(
    "payments.unreachable",
    "orders",
    "Orders stay pending or are refused: orders has stopped calling payments.",
    Alarm("CircuitBreakerOpen", "orders", 120),
)
INVENTORY_SLOW = Fault("inventory.slow", "inventory", f"Placing an order takes {SLOW_SECONDS:g} s longer.", _slowness("inventory"))
INVENTORY_FAIL = Fault("inventory.fail", "inventory", "Orders are refused with 502, because inventory answers 500.", _errors("inventory"))
INVENTORY_DEADLOCK = Fault(
    "inventory.deadlock",
    "inventory",
    "Orders are refused with 502: two reservations wait for each other's rows until the database ends one.",
    _errors("inventory"),
)
CATALOG_NPLUSONE = Fault(
    "catalog.nplusone",
    "catalog",
    "Lists of products come a little later: each product asks the database once more.",
    Silence(
        "Nobody is woken for queries that are too many: where they make pages slow, the latency budget burns; the "
        "access line, the span and the Database board name the place."
    ),
)
CATALOG_CACHE_OFF = Fault(
    "catalog.cache_off",
    "catalog",
    "Nothing, until the database of catalog is busy: every page is read from it anew.",
    Silence(
        "Each cache has a hit ratio of its own, so no rule knows which is too low; the Database board shows the hits "
        "vanish and the queries rise."
    ),
)
ORDERS_LEAK = Fault(
    "orders.leak",
    "orders",
    "Nothing for a long time, then workers are killed.",
    Silence(
        "How much memory is too much only the machine knows, so whoever sets the limit has to watch it; the Process "
        "board shows it grow with every request."
    ),
)
ORDERS_CPU_HOG = Fault(
    "orders.cpu_hog", "orders", f"Each request to orders computes for {SLOW_SECONDS:g} s; all of them are slow.", _slowness("orders")
)
BROKER_PAUSE_CONSUMER = Fault(
    "broker.pause_consumer",
    "notifications",
    "Confirmations of orders do not come, and all come at once when it is over.",
    Alarm("ConsumerStopped", "notifications", 180),
)
BROKER_DUPLICATE = Fault(
    "broker.duplicate",
    "orders",
    "Nothing: each event is delivered twice, and the inbox of notifications takes one.",
    Silence("Duplicates are what the inbox is for; the Events board counts them."),
)
BROKER_POISON = Fault(
    "broker.poison",
    "orders",
    "Confirmations of some orders never come: the event cannot be read, and is given up.",
    Alarm("EventsDead", "notifications", 180),
)
AUTH_EXPIRED_KEYS = Fault(
    "auth.expired_keys",
    "gateway",
    "Orders are refused with 502, because services refuse the tokens of gateway: as soon as those that callers hold have run out.",
    Alarm("DjangoErrorBudgetBurn", "gateway", 420),
)
AUTH_BRUTE_FORCE = Fault(
    "auth.brute_force",
    "load",
    "Somebody tries passwords at the gateway, ten a second.",
    Alarm("LoginFailuresHigh", "gateway", 120),
)
READYZ_FAIL = Fault(
    "readyz.fail",
    "catalog",
    "Nothing while a balancer has other workers; here, the probes of catalog say no.",
    Alarm("HealthCheckFailing", "catalog", 120),
)
DB_POOL_EXHAUSTED = Fault(
    "db.pool_exhausted",
    "orders",
    "Orders are refused with 503: a request waits for a connection to the database and gets none.",
    _errors("orders"),
)
LOG_STORM = Fault(
    "log.storm",
    "catalog",
    "Nothing; the bill for logs: each request to catalog writes two hundred lines.",
    Silence(
        "How many lines are too many depends on what they cost, which no rule knows; the Telemetry health board shows "
        "what each service sends."
    ),
)
DEPLOY_BAD_VERSION = Fault(
    "deploy.bad_version",
    "catalog",
    f"Product pages answer 500 since version {BAD_VERSION} of catalog was deployed.",
    _errors("catalog"),
)
LOG_SECRET = Fault(
    "log.secret",
    "payments",
    "Nothing: a log line names a card number, and the number does not leave the service.",
    Silence("Nothing has leaked: the number is redacted before the line is written."),
)

FAULTS: tuple[Fault, ...] = (
    *(PAYMENTS_FAIL, PAYMENTS_SLOW, PAYMENTS_UNREACHABLE),
    *(INVENTORY_SLOW, INVENTORY_FAIL, INVENTORY_DEADLOCK),
    *(CATALOG_NPLUSONE, CATALOG_CACHE_OFF),
    *(ORDERS_LEAK, ORDERS_CPU_HOG),
    *(BROKER_PAUSE_CONSUMER, BROKER_DUPLICATE, BROKER_POISON),
    *(AUTH_EXPIRED_KEYS, AUTH_BRUTE_FORCE),
    *(READYZ_FAIL, DB_POOL_EXHAUSTED, LOG_STORM, DEPLOY_BAD_VERSION, LOG_SECRET),
)


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

    def strikes(self, fault: Fault | str) -> bool:
        """Whether the fault, or the one of that name, hits this time: true for its share of calls."""
        share = self.shares().get(fault if isinstance(fault, str) else fault.name, 0.0)
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
        replace_file(self.path, json.dumps(shares, indent=2, sort_keys=True))


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
