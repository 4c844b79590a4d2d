"""Which series of a vector are aggregated together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql.arrays import Integers
from otelkit_stack.promql.frames import Frame
from otelkit_stack.promql.labels import METRIC_NAME, NO_LABELS, Labels


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of a frame by the labels that they are grouped by, groups in the order of their first rows."""

    labels: list[Labels]
    group_of: Integers
    """For each row, the number of its group."""

    @property
    def are_few(self) -> bool:
        """Whether it takes fewer operations to go through the groups than through their members."""
        return len(self.labels) < int(np.bincount(self.group_of).max(initial=0))

    def members(self) -> Iterator[tuple[Integers | slice, Integers]]:
        """The first row of each group, then the second, ...: numbers of the groups that have one, and those rows."""
        order, starts, sizes = self._sorted()
        everyone = slice(None)
        for rank in range(int(sizes.max(initial=0))):
            larger = sizes > rank
            yield (everyone if larger.all() else np.flatnonzero(larger)), order[starts[larger] + rank]

    def sorted_rows(self) -> tuple[Integers, Integers]:
        """All rows, group by group, and where in them each group begins."""
        order, starts, _ = self._sorted()
        return order, starts

    def rows_by_group(self) -> list[Integers]:
        """The rows of each group."""
        order, starts, _ = self._sorted()
        return np.split(order, starts[1:]) if starts.size else []

    def _sorted(self) -> tuple[Integers, Integers, Integers]:
        order = np.argsort(self.group_of, kind="stable")
        sizes = np.bincount(self.group_of, minlength=len(self.labels))
        return order, np.cumsum(sizes) - sizes, sizes


def grouped(frame: Frame, names: Sequence[str], *, is_without: bool) -> Groups:
    """The rows by these labels, or by all but these and the metric's name."""
    if not is_without and not names:
        return Groups([NO_LABELS] if frame.labels else [], np.zeros(len(frame.labels), dtype=np.int64))
    chosen = frozenset((*names, METRIC_NAME) if is_without else names)
    numbers: dict[Labels, int] = {}
    group_of = np.empty(len(frame.labels), dtype=np.int64)
    for row, labels in enumerate(frame.labels):
        key = labels.drop(chosen) if is_without else labels.keep(chosen)
        group_of[row] = numbers.setdefault(key, len(numbers))
    return Groups(list(numbers), group_of)
