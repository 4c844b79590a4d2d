"""What expressions evaluate to: for each step of the query a number, or an instant vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Floats, Integers
from otelkit_stack.promql.errors import EvaluationError
from otelkit_stack.promql.labels import METADATA, Labels

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number per step."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A string, the same at each step."""

    value: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One instant vector per step: a row is a series, a column a step."""

    labels: list[Labels]
    values: Floats
    present: Booleans
    """Where the series has a value; elsewhere ``values`` holds anything."""
    nameless: list[bool]
    """Whether the metric's name goes away at the end of the query; all False unless names are removed that late."""

    @classmethod
    def of(cls, labels: list[Labels], values: Floats, present: Booleans) -> Frame:
        """Rows whose names stay."""
        return cls(labels, values, present, [False] * len(labels))

    @classmethod
    def empty(cls, steps: int) -> Frame:
        """No series at all."""
        return cls.of([], np.empty((0, steps)), np.empty((0, steps), dtype=np.bool_))

    @property
    def steps(self) -> int:
        return int(self.values.shape[1])

    def rows(self, indices: Sequence[int] | Integers) -> Frame:
        """These rows, in this order."""
        chosen = np.asarray(indices, dtype=np.int64)
        return Frame(
            [self.labels[index] for index in chosen],
            self.values[chosen],
            self.present[chosen],
            [self.nameless[index] for index in chosen],
        )

    def inhabited(self) -> Frame:
        """The rows that have a value at some step."""
        alive = self.present.any(axis=1)
        return self if alive.all() else self.rows(np.flatnonzero(alive))

    def masked(self, mask: Booleans) -> Frame:
        """Without the values where the mask is False."""
        return Frame(self.labels, self.values, self.present & mask, self.nameless)

    def until(self, step: int) -> Frame:
        """Only the steps before this one."""
        return Frame(self.labels, self.values[:, :step], self.present[:, :step], self.nameless)

    def spread(self, steps: int) -> Frame:
        """The only step's values at each of so many steps."""
        shape = (len(self.labels), steps)
        return Frame(self.labels, np.broadcast_to(self.values, shape), np.broadcast_to(self.present, shape), self.nameless)

    def without_names(self, *, late: bool) -> Frame:
        """Without the metric's name and what else says what the values are; ``late`` only notes that they go at the end."""
        if late:
            return Frame(self.labels, self.values, self.present, [True] * len(self.labels))
        return Frame([labels.drop(METADATA) for labels in self.labels], self.values, self.present, self.nameless)


def joined(frames: Sequence[Frame]) -> Frame:
    """The rows of all of them, one after the other."""
    return Frame(
        [labels for frame in frames for labels in frame.labels],
        np.concatenate([frame.values for frame in frames]),
        np.concatenate([frame.present for frame in frames]),
        [flag for frame in frames for flag in frame.nameless],
    )


def merge_same_labels(frame: Frame) -> Frame:
    """One row for each set of labels. Raises EvaluationError where two rows of the same labels have a value at the same step."""
    if len(set(frame.labels)) == len(frame.labels):
        return frame
    members: dict[Labels, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        members.setdefault(labels, []).append(row)
    merged = frame.rows([rows[0] for rows in members.values()])
    for target, rows in enumerate(members.values()):
        if len(rows) == 1:
            continue
        if (frame.present[rows].sum(axis=0) > 1).any():
            raise EvaluationError(SAME_LABELS)
        for row in rows[1:]:
            merged.values[target] = np.where(frame.present[row], frame.values[row], merged.values[target])
            merged.present[target] |= frame.present[row]
    return merged


def refuse_same_labels(frame: Frame) -> Frame:
    """The frame. Raises EvaluationError where two of its rows have the same labels, even at different steps."""
    if len(set(frame.labels)) != len(frame.labels):
        raise EvaluationError(SAME_LABELS)
    return frame
