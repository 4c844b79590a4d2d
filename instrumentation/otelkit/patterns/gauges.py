"""Gauges that only a question to a database answers: asked in a thread of its own, and only where somebody collects metrics.

Never in ``ready()`` and never while somebody waits: a database that is down, or does not answer at all, costs the metric and one warning.
Every process that has the tables asks, so that the gauge is there while the process that should do the work is not: take the largest.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Lock, Thread
from time import monotonic

from opentelemetry import context

from otelkit.catalog.metrics import Metric
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.patterns")

FIRST_AFTER = 5.0
"""Seconds from the start to the first question: a short command asks none."""
ASK_EVERY = 10.0
"""Seconds between two questions."""
PATIENCE = 10.0
"""Seconds after which an answer is late: the metric is absent then, and nobody asks a second time meanwhile."""

Answer = Mapping[Metric, Mapping[LabelValues, float]]
"""Values by metric and label values."""


class Gauges:
    """Several gauges that one question answers. ``subject`` is what they are about, for a warning; ``ask`` may block, and may raise."""

    def __init__(
        self, subject: str, metrics: Sequence[Metric], ask: Callable[[], Answer], *, clock: Callable[[], float] = monotonic
    ) -> None:
        self.metrics = tuple(metrics)
        self._subject = subject
        self._ask = ask
        self._clock = clock
        self._asking = Lock()
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._is_asking = False
        self._asked_at = self._clock() + FIRST_AFTER - ASK_EVERY
        self._answer: Answer = {}
        self._has_warned = False

    def observe(self, aggregator: Aggregator) -> None:
        """Adds the gauges to every collection."""
        self._reset()
        for metric in self.metrics:
            aggregator.observe(metric, partial(self._values, metric))

    def _values(self, metric: Metric) -> list[tuple[LabelValues, float]]:
        if self._pid != os.getpid():  # a fork has taken over a thread, and perhaps a lock, that nobody here has
            self._asking = Lock()
            self._reset()
        with self._asking:
            answer = self._look()
        return list(answer.get(metric, {}).items())

    def _look(self) -> Answer:
        """What is known now; asks again where that is old."""
        answer = self._answer
        waited = self._clock() - self._asked_at
        if self._is_asking:
            if waited > PATIENCE:
                answer = self._answer = {}
                self._warn(f"it has not answered within {PATIENCE:g} seconds")
        elif waited >= ASK_EVERY:
            self._asked_at = self._clock()
            self._is_asking = True
            try:
                Thread(target=self._fetch, name="otelkit-gauges", daemon=True).start()
            except RuntimeError:  # the interpreter is ending, and starts no threads any more
                self._is_asking = False
        return answer

    def _fetch(self) -> None:
        context.attach(suppressed())  # what is asked here is nobody's query
        try:
            self._answer = self._ask()
            self._has_warned = False
        except Exception as error:  # noqa: BLE001  (a database that is away, tables that are not there yet)
            self._answer = {}
            self._warn(type(error).__name__)
        finally:
            self._is_asking = False

    def _warn(self, why: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s: not measured while the database cannot say: %s.", self._subject, why)


_declared: dict[str, Gauges] = {}
_aggregator: Aggregator | None = None


def declare(gauges: Gauges) -> None:
    """Lets these gauges be collected, now or whenever the kit runs. Asks nothing yet."""
    _declared[gauges.metrics[0].name] = gauges
    if _aggregator is not None:
        gauges.observe(_aggregator)


def switch_on(aggregator: Aggregator) -> None:
    """Collects what is declared, now or later."""
    global _aggregator
    _aggregator = aggregator
    for gauges in _declared.values():
        gauges.observe(aggregator)


def switch_off() -> None:
    """Asks nothing any more."""
    global _aggregator
    _aggregator = None
