"""A probe: several checks at once, and whether all that must pass do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from otelkit.patterns.health.checks import Check
from otelkit.patterns.health.watch import Result, Watch

FRESH = 5.0
"""Seconds for which an answer is given again without asking: who probes faster does not load the database with it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a probe found. ``results`` pairs each check with what it said."""

    ok: bool
    results: tuple[tuple[Check, Result], ...]
    at: float
    """When it was asked for, by the probe's clock."""


class Probe:
    """Checks that are asked together. With ``latched``, a probe that has passed once passes from then on, and asks no more.

    Raises ValueError where two checks have one name, because their results would be one in every metric.
    """

    def __init__(
        self, checks: Iterable[Check], *, fresh_for: float = FRESH, latched: bool = False, clock: Callable[[], float] = monotonic
    ) -> None:
        checks = tuple(checks)
        names = [check.name for check in checks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"Two health checks of one probe are called {', '.join(twice)}; give each a name of its own.")
        self._watches = [Watch(check, fresh_for, clock) for check in checks]
        self._clock = clock
        self._latched = latched
        self._passed: Report | None = None

    def ask(self) -> Report:
        """Asks what is not fresh, all at once, and waits no longer than the longest timeout."""
        if self._passed is not None:
            return self._passed
        for watch in self._watches:
            watch.ask()
        results = tuple((watch.check, watch.answer()) for watch in self._watches)
        report = Report(all(result.ok for check, result in results if check.required), results, self._clock())
        if self._latched and report.ok:
            self._passed = report
        return report
