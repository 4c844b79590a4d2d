"""What was sent and found wrong: counted by request and by error, without a field's name or value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otelkit.catalog.labels import UNMATCHED_ROUTE
from otelkit.catalog.metrics import VALIDATION_FAILURES
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.routes import route_of
from otelkit.request.state import CURRENT

MOST_ERRORS = 1000
"""More are not counted: a list that was sent may have an error in each of its entries."""


class Validation:
    """Counts the requests whose content was wrong, each once."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._failures = aggregator.counter(VALIDATION_FAILURES)

    def failed(self, errors: Any) -> None:
        """``errors`` may be of any form: texts in lists and dictionaries of any depth."""
        state = CURRENT.get()
        if state is None:  # outside of a request, as in a test of a serializer or a task
            return
        if not state.validation_errors:
            self._failures.add(1, (route_of(state.request) or UNMATCHED_ROUTE,))
        state.validation_errors = min(state.validation_errors + count(errors), MOST_ERRORS)

    def raised(self, errors: Any) -> None:
        """The same, unless a serializer has counted them before it was raised."""
        state = CURRENT.get()
        if state is not None and not state.validation_errors:
            self.failed(errors)


def count(errors: Any) -> int:
    """The texts in it, :data:`MOST_ERRORS` at most; 1 where there is none, because something was wrong."""
    found, rest = 0, [errors]
    for _ in range(10 * MOST_ERRORS):  # errors that hold themselves never end
        if not rest or found >= MOST_ERRORS:
            break
        item = rest.pop()
        if isinstance(item, Mapping):
            rest.extend(item.values())
        elif isinstance(item, list | tuple):
            rest.extend(item)
        else:
            found += 1
    return max(found, 1)
