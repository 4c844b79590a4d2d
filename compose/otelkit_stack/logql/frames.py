"""Series over the steps of a query: the values of all of them as one table, and where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs."""
Values = npt.NDArray[np.float64]
Present = npt.NDArray[np.bool_]


def labels_of(pairs: Mapping[str, str]) -> Labels:
    """The labels as a key; an empty value is no label."""
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


@dataclass(frozen=True, slots=True)
class Frame:
    """``values`` and ``present`` have a row for each series and a column for each step."""

    labels: list[Labels]
    values: Values
    present: Present

    @classmethod
    def empty(cls, steps: int) -> Frame:
        """No series."""
        return cls([], np.empty((0, steps)), np.empty((0, steps), dtype=np.bool_))

    @classmethod
    def of(cls, rows: list[tuple[Labels, Values, Present]], steps: int) -> Frame:
        """Rows as a table, those without any value left out."""
        rows = [row for row in rows if row[2].any()]
        if not rows:
            return cls.empty(steps)
        return cls([row[0] for row in rows], np.stack([row[1] for row in rows]), np.stack([row[2] for row in rows]))

    def rows(self) -> Iterator[tuple[Labels, Values, Present]]:
        """Each series."""
        return zip(self.labels, self.values, self.present, strict=True)
