"""Gauges that only a question to a database answers: never asked in ``ready()``, and never while somebody waits.

Every process that has the tables asks, so that the gauge is there while the process that should do the work is not: take the largest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic

from otelkit.catalog.metrics import Metric
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.metrics.question import Question

logger = logging.getLogger("otelkit.patterns")

FIRST_AFTER = 5.0
"""Seconds from the start to the first question: a short command asks none."""
ASK_EVERY = 10.0
"""Seconds between two questions."""
Answer = Mapping[Metric, Mapping[LabelValues, float]]
"""Values by metric and label values."""


class Gauges:
    """Several gauges that one question answers. ``subject`` is what they are about, for a warning; ``ask`` may block, and may raise."""

    def __init__(
        self, subject: str, metrics: Sequence[Metric], ask: Callable[[], Answer], *, clock: Callable[[], float] = monotonic
    ) -> None:
        self.metrics = tuple(metrics)
        self._subject = subject
        nothing: Answer = {}
        self._question = Question(ask, nothing, self._warn, thread="otelkit-gauges", first_after=FIRST_AFTER, every=ASK_EVERY, clock=clock)

    def observe(self, aggregator: Aggregator) -> None:
        """Adds the gauges to every collection."""
        self._question.restart(FIRST_AFTER)
        for metric in self.metrics:
            aggregator.observe(metric, partial(self._values, metric))

    def _values(self, metric: Metric) -> list[tuple[LabelValues, float]]:
        return list(self._question.answer().get(metric, {}).items())

    def _warn(self, why: str) -> None:
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
