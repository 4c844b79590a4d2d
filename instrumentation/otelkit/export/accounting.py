"""Counts of telemetry, so that ``created == exported + dropped + queued`` can be checked from outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock

from otelkit.catalog.labels import REASON, SIGNAL
from otelkit.metrics.aggregator import LabelValues


@contextmanager
def patiently(lock: Lock) -> Iterator[None]:
    """Holds the lock, or goes on without it after half a second.

    For the export thread. The application's threads hold these locks for a microsecond, but a signal handler may interrupt one just then,
    and wait in it for what we have to send. A thread that stands still cannot interfere.
    """
    is_held = lock.acquire(timeout=0.5)
    try:
        yield
    finally:
        if is_held:
            lock.release()


class Account:
    """The books of one signal. ``queued`` is what was created and neither exported nor dropped yet."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begins new books; a child process does, whose parent keeps its own."""
        self.lock = Lock()
        self.created = 0
        self.exported = 0
        self.dropped: dict[str, int] = dict.fromkeys(REASON.values, 0)

    def create(self, items: int = 1) -> None:
        """Items that now exist."""
        with patiently(self.lock):
            self.created += items

    def export(self, items: int) -> None:
        """Items that a receiver took."""
        with patiently(self.lock):
            self.exported += items

    def drop(self, reason: str, items: int) -> None:
        """Items that are lost. ``reason`` is one of the catalogue's."""
        with patiently(self.lock):
            self.dropped[reason] += items

    def totals(self) -> tuple[int, int, dict[str, int], int]:
        """(created, exported, dropped by reason, queued) at one moment."""
        with patiently(self.lock):
            dropped = dict(self.dropped)
            return self.created, self.exported, dropped, self.created - self.exported - sum(dropped.values())


class Accounts:
    """The books of every signal."""

    def __init__(self) -> None:
        self.of: dict[str, Account] = {signal: Account() for signal in SIGNAL.values}
        self._collected: dict[str, tuple[int, int, dict[str, int], int]] = {}

    def reset(self) -> None:
        """Begins new books for every signal."""
        for account in self.of.values():
            account.reset()

    def created(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.created, which is collected first: the other three tell of the same moment."""
        self._collected = {signal: account.totals() for signal, account in self.of.items()}
        return [((signal,), totals[0]) for signal, totals in self._collected.items()]

    def exported(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.exported."""
        return [((signal,), totals[1]) for signal, totals in self._collected.items()]

    def dropped(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal and reason, zeros included so that a rate has a beginning."""
        return [((signal, reason), items) for signal, totals in self._collected.items() for reason, items in totals[2].items()]

    def queued(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.queued."""
        return [((signal,), totals[3]) for signal, totals in self._collected.items()]
