"""Counts of telemetry, so that ``created == exported + dropped + queued`` can be checked from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, local

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
    """The books of one signal. What is queued is counted where it lies, in the queue and in the export thread's hands.

    So ``created == exported + dropped + queued`` is no definition: it holds as long as everything that leaves a hand is entered once.
    """

    def __init__(self) -> None:
        self.waiting: Callable[[], int] = lambda: 0
        """The length of the signal's queue, which sets this."""
        self.reset()

    def reset(self) -> None:
        """Begins new books; a child process does, whose parent keeps its own."""
        self.lock = Lock()
        self.created = 0
        self.exported = 0
        self.in_hand = 0
        """Items that were taken out of the queue, and of which nobody knows yet what becomes of them."""
        self.dropped: dict[str, int] = dict.fromkeys(REASON.values, 0)

    def create_in_hand(self, items: int) -> None:
        """Items that now exist, and pass through no queue: metric points, made when they are sent."""
        with patiently(self.lock):
            self.created += items
            self.in_hand += items

    def settle(self, items: int, *, exported: int = 0, **dropped: int) -> None:
        """Of so many items in hand it is known what became: a receiver took some, others were given up, by the catalogue's reasons."""
        with patiently(self.lock):
            self.in_hand -= items
            self.exported += exported
            for reason, lost in dropped.items():
                self.dropped[reason] += lost

    def drop_in_hand(self, reason: str) -> int:
        """Gives up all that is in hand, and says how much that was."""
        with patiently(self.lock):
            lost, self.in_hand = self.in_hand, 0
            self.dropped[reason] += lost
            return lost

    def totals(self) -> tuple[int, int, dict[str, int], int]:
        """(created, exported, dropped by reason, queued) at one moment."""
        with patiently(self.lock):
            return self.created, self.exported, dict(self.dropped), self.waiting() + self.in_hand


class _Collected(local):
    """What the collection of this thread has begun with: a scrape and a push may collect at the same time."""

    totals: dict[str, tuple[int, int, dict[str, int], int]] = {}  # noqa: RUF012  (replaced, never changed)


class Accounts:
    """The books of every signal."""

    def __init__(self) -> None:
        self.of: dict[str, Account] = {signal: Account() for signal in SIGNAL.values}
        self._of_thread = _Collected()

    def reset(self) -> None:
        """Begins new books for every signal."""
        for account in self.of.values():
            account.reset()

    def created(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.created, which is collected first: the other three tell of the same moment."""
        self._of_thread.totals = {signal: account.totals() for signal, account in self.of.items()}
        return [((signal,), totals[0]) for signal, totals in self._of_thread.totals.items()]

    def exported(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.exported."""
        return [((signal,), totals[1]) for signal, totals in self._of_thread.totals.items()]

    def dropped(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal and reason, zeros included so that a rate has a beginning."""
        return [((signal, reason), items) for signal, totals in self._of_thread.totals.items() for reason, items in totals[2].items()]

    def queued(self) -> Iterable[tuple[LabelValues, float]]:
        """Per signal, as the metric otelkit.telemetry.queued: what really waits, or is being sent."""
        return [((signal,), totals[3]) for signal, totals in self._of_thread.totals.items()]
