"""One check of one process: its newest result, and the thread that fetches the next one.

A check runs in a thread of its own, because a socket that hangs can be left alone there and nowhere else. While one hangs no second one
is started: a probe every few seconds must not pile up threads or connections.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from weakref import WeakSet

from django.db import connections
from opentelemetry import context

from otelkit.catalog.metrics import HEALTH_CHECK_DURATION, HEALTH_CHECK_STATUS
from otelkit.metrics import business
from otelkit.metrics.aggregator import LabelValues
from otelkit.metrics.label_values import LabelReader
from otelkit.patterns.health.checks import Check, UnhealthyError
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.health")

RELEVANT = 60.0
"""Seconds for which a result is reported as a metric. Of many workers each is asked now and then, and an old no says nothing of now."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check said."""

    ok: bool
    reason: str
    """Why not, without a value of the project's: the class of an exception, or ours. Empty where it is well."""
    duration: float
    """Seconds that it took."""
    at: float
    """When it was known, by the watch's clock."""


class _Run:
    __slots__ = ("done", "result", "started")

    def __init__(self, started: float) -> None:
        self.started = started
        self.done = Event()
        self.result: Result | None = None


class Watch:
    """Asks a check when its newest result is older than ``fresh_for`` seconds."""

    def __init__(self, check: Check, fresh_for: float, clock: Callable[[], float] = monotonic) -> None:
        self.check = check
        self._fresh_for = fresh_for
        self._clock = clock
        self._begin()
        with _registering:
            _watches.add(self)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = Lock()
        self._run: _Run | None = None
        self.newest: Result | None = None

    def ask(self) -> None:
        """Begins to fetch a result where the newest is not fresh and nothing is under way. Never waits."""
        if self._pid != os.getpid():  # a fork has taken over a thread that does not exist here
            self._begin()
        with self._lock:
            if self._run is not None or (self.newest is not None and self._clock() - self.newest.at < self._fresh_for):
                return
            self._run = run = _Run(self._clock())
            Thread(target=self._work, args=(run,), name=f"otelkit-health-{self.check.name}", daemon=True).start()

    def answer(self) -> Result:
        """The newest result; of a run that is under way, the one that it comes to within the check's timeout."""
        run = self._run
        if run is not None and not run.done.wait(max(run.started + self.check.timeout - self._clock(), 0.0)):
            self._keep(Result(False, "timeout", self._clock() - run.started, self._clock()))
        newest = self.newest
        return newest if newest is not None else Result(False, "not asked", 0.0, self._clock())

    def _work(self, run: _Run) -> None:
        context.attach(suppressed())  # what is asked here is nobody's query
        reason = ""
        try:
            self.check.ask()
        except UnhealthyError as error:
            reason = str(error)
        except BaseException as error:  # noqa: BLE001  (whatever a project's check raises, it is a no)
            reason = type(error).__name__
        took = self._clock() - run.started
        if not reason and took > self.check.timeout:
            reason = "timeout"
        _duration.record(took, check=self.check.name)
        self._keep(Result(not reason, reason, took, self._clock()))
        with self._lock:
            self._run = None
        run.done.set()
        with suppress(Exception):  # of a database that is away even closing may fail, and that is said already
            connections.close_all()  # this thread's own

    def _keep(self, result: Result) -> None:
        before, self.newest = self.newest, result
        if before is None and result.ok:
            return
        if before is None or (before.ok, before.reason) != (result.ok, result.reason):
            if result.ok:
                logger.info('Health check "%s" passes again.', self.check.name)
            else:
                logger.warning('Health check "%s" fails: %s.', self.check.name, result.reason)

    def reported(self) -> Result | None:
        """The newest result, where it is young enough to be reported by this process."""
        newest = self.newest
        return newest if newest is not None and self._pid == os.getpid() and self._clock() - newest.at < RELEVANT else None


_watches: WeakSet[Watch] = WeakSet()
_registering = Lock()


def _statuses() -> Iterable[tuple[LabelValues, float]]:
    with _registering:
        watches = list(_watches)
    found: dict[LabelValues, float] = {}
    for watch in watches:
        result = watch.reported()
        if result is not None:
            labels = _labels.read({"check": watch.check.name})
            # Two probes may ask the same: one no is enough.
            found[labels] = min(found.get(labels, 1), 1 if result.ok else 0)
    return found.items()


_labels = LabelReader(HEALTH_CHECK_STATUS, lambda _kind, _message: None)
_duration = business.recorder(business.BusinessHistogram, HEALTH_CHECK_DURATION)
business.observed(HEALTH_CHECK_STATUS, _statuses)
