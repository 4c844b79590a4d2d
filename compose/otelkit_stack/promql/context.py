"""What one evaluation carries with it: its store, its limits and what it has to say beside the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from otelkit_stack.promql.annotations import Annotations
from otelkit_stack.promql.limits import Budget, Options
from otelkit_stack.promql.matchers import Matcher
from otelkit_stack.promql.samples import Samples
from otelkit_stack.promql.storage import Storage


@dataclass(slots=True)
class Context:
    """Shared by all parts of one query."""

    storage: Storage
    budget: Budget
    annotations: Annotations
    _read: dict[tuple[tuple[Matcher, ...], int, int], Samples] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        return self.budget.options

    def samples(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Samples:
        """The stored samples from start to end, both included, and perhaps some around them; read once for each question."""
        key = (matchers, start_ms, end_ms)
        found = self._read.get(key)
        if found is None:
            self.budget.check()
            found = self._read[key] = Samples.of_series(self.storage.select(matchers, start_ms, end_ms))
            self.budget.hold(found.times.size)
        return found
