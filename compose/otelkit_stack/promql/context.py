"""What one evaluation carries with it: its store, its limits and what it has to say beside the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from otelkit_stack.promql.annotations import Annotations
from otelkit_stack.promql.limits import Budget, Options
from otelkit_stack.promql.samples import Samples
from otelkit_stack.promql.storage import Series, Storage
from otelkit_stack.selectors.matchers import Matcher


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
            found = self._read[key] = Samples.of_series(self._select(matchers, start_ms, end_ms))
        return found

    def _select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> list[Series]:
        found = []
        held = sum(samples.times.size for samples in self._read.values())
        self.budget.check()
        for series in self.storage.select(matchers, start_ms, end_ms):
            self.budget.check()
            held += series.timestamps.size
            self.budget.hold(held)
            found.append(series)
        return found
