"""How much waits in the queues of tasks, for how long, and whether anybody takes it: asked of brokers and databases, in the background.

Every process that uses a queue asks, so that the gauges are there while the workers are not: take the largest. Nobody waits for an answer,
and what cannot say is missing from the gauges, with one warning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from otelkit.catalog.metrics import TASK_QUEUE_DEPTH, TASK_QUEUE_OLDEST_AGE, WORKER_UP
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.metrics.question import Question

logger = logging.getLogger("otelkit.tasks")

FIRST_AFTER = 5.0
"""Seconds from the start to the first question: a short command asks none."""
ASK_EVERY = 15.0
"""Seconds between two questions."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one queue holds, as whoever keeps it says."""

    depth: int
    oldest_age: float | None = None
    """Seconds that the oldest task has waited, 0 where none does; None where nobody can say."""
    has_worker: bool | None = None
    """Whether anybody takes tasks; None where the keeper knows nothing of that. Workers say it themselves (see :meth:`TaskQueues.take`)."""


Queues = Mapping[str, Waiting]


class TaskQueues:
    """The gauges about queues, for whichever library keeps tasks in them."""

    def __init__(self, aggregator: Aggregator, *, asks: bool = True, clock: Callable[[], float] = monotonic) -> None:
        """``asks`` says whether anybody is asked; what this process takes is known without."""
        self._aggregator = aggregator
        self._asks = asks
        self._clock = clock
        self._questions: dict[str, Question[Queues]] = {}
        self._taken: frozenset[str] = frozenset()
        aggregator.observe(TASK_QUEUE_DEPTH, self._depths, self._leave)
        aggregator.observe(TASK_QUEUE_OLDEST_AGE, self._ages)
        aggregator.observe(WORKER_UP, self._workers)

    def ask_of(self, keeper: str, ask: Callable[[], Queues]) -> None:
        """Lets ``ask`` answer for the queues that ``keeper`` keeps, again and again while somebody collects. It may block, and raise."""
        if not self._asks:
            return
        nothing: Queues = {}
        warn = partial(_warn, keeper)
        self._questions[keeper] = Question(
            ask, nothing, warn, thread="otelkit-queues", first_after=FIRST_AFTER, every=ASK_EVERY, clock=self._clock
        )

    def take(self, queues: Iterable[str]) -> None:
        """This process takes tasks of these queues, from now on and also while none comes: so it begins (see :mod:`otelkit.presence`)."""
        self._taken |= frozenset(queues)
        begin = self._aggregator.first_use
        if begin is not None:
            begin()

    def _leave(self) -> None:
        """A child takes nothing until it says so."""
        self._taken = frozenset()

    def _waiting(self) -> list[tuple[str, Waiting]]:
        return [found for question in list(self._questions.values()) for found in question.answer().items()]

    def _depths(self) -> Iterable[tuple[LabelValues, float]]:
        depths: dict[str, float] = {}
        for queue, waiting in self._waiting():  # two keepers may have a queue of one name
            depths[queue] = depths.get(queue, 0) + waiting.depth
        return _points(depths)

    def _ages(self) -> Iterable[tuple[LabelValues, float]]:
        ages: dict[str, float] = {}
        for queue, waiting in self._waiting():
            if waiting.oldest_age is not None:
                ages[queue] = max(ages.get(queue, 0.0), waiting.oldest_age)
        return _points(ages)

    def _workers(self) -> Iterable[tuple[LabelValues, float]]:
        up = dict.fromkeys(self._taken, 1)
        for queue, waiting in self._waiting():
            if waiting.has_worker is not None:
                up[queue] = max(up.get(queue, 0), int(waiting.has_worker))
        return _points(up)


def _points(values: Mapping[str, float]) -> list[tuple[LabelValues, float]]:
    return [((queue,), value) for queue, value in values.items()]


def _warn(keeper: str, why: str) -> None:
    logger.warning("Queues of %s: what waits is not measured while it cannot say: %s.", keeper, why)
