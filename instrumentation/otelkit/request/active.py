"""How many requests are being answered: counted when somebody asks, so that a request costs two entries in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable

from otelkit.catalog.metrics import HTTP_SERVER_ACTIVE_REQUESTS
from otelkit.metrics.aggregator import Aggregator, LabelValues

MOST_KEPT = 64
"""Label sets that go on to be told, as 0, when none of their requests is left. There are as many as methods and schemes."""


class ActiveRequests:
    """The metric ``http.server.active_requests``."""

    __slots__ = ("_aggregator", "_answered", "_answering")

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator = aggregator
        self._answering: dict[int, LabelValues] = {}
        self._answered: set[LabelValues] = set()

    def observe(self) -> None:
        """Adds the metric to every collection."""
        self._aggregator.observe(HTTP_SERVER_ACTIVE_REQUESTS, self.counted, forget=self.forget)

    def begin(self, number: int, labels: LabelValues) -> None:
        """A request begins. ``number`` tells it from all others that are being answered: the identity of something that lives as long."""
        if (first_use := self._aggregator.first_use) is not None:
            first_use()
        # By number: one whose end is never told (a server that forgets a response) must not be kept.
        self._answering[number] = labels
        if labels not in self._answered and len(self._answered) < MOST_KEPT:
            self._answered.add(labels)

    def end(self, number: int) -> None:
        """It ends; one that this process did not see begin (its parent did) is nobody's."""
        self._answering.pop(number, None)

    def counted(self) -> Iterable[tuple[LabelValues, float]]:
        """Requests now, by method and scheme; 0 where there were some before."""
        counts = dict.fromkeys(list(self._answered), 0)
        for labels in list(self._answering.values()):
            counts[labels] = counts.get(labels, 0) + 1
        return counts.items()

    def forget(self) -> None:
        """A child process answers none of its parent's."""
        self._answering.clear()
        self._answered.clear()
