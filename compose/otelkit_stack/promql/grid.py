"""The moments at which an expression is evaluated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql.arrays import Integers


@dataclass(frozen=True, slots=True)
class Grid:
    """``count`` moments from ``start`` on, ``step`` apart; all in milliseconds. An instant query has one moment."""

    start: int
    step: int
    count: int
    is_range: bool = False
    """Whether a range was asked for, even one in which there is room for one moment only."""

    @property
    def end(self) -> int:
        """The last moment."""
        return self.start + (self.count - 1) * self.step

    @property
    def times(self) -> Integers:
        """All moments."""
        return self.start + self.step * np.arange(self.count, dtype=np.int64)

    def first(self) -> Grid:
        """The first moment alone."""
        return Grid(self.start, self.step, 1)

    def shifted(self, by: int) -> Grid:
        """The same moments, so much later."""
        return Grid(self.start + by, self.step, self.count, self.is_range)


def between(start: int, end: int, step: int) -> Grid:
    """The moments from start on that are not later than end; none where end lies before start."""
    return Grid(start, step, max(0, (end - start) // step + 1), is_range=end != start)
