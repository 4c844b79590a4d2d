"""Binary operators between two vectors: which series of one side belongs to which of the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from otelkit_stack.promql.arrays import Booleans, Integers
from otelkit_stack.promql.errors import EvaluationError
from otelkit_stack.promql.frames import Frame, joined, merge_same_labels
from otelkit_stack.promql.labels import METADATA, METRIC_NAME, Labels
from otelkit_stack.promql.operators import ARITHMETIC, combined
from otelkit_stack.promql.syntax import Matching

_AMBIGUOUS = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_NOT_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def signature(labels: Labels, matching: Matching) -> Labels:
    """The part of the labels that two series must share."""
    return labels.keep(matching.labels) if matching.is_on else labels.drop((*matching.labels, METRIC_NAME))


def operated(operator: str, left: Frame, right: Frame, matching: Matching, *, is_bool: bool, late_names: bool) -> Frame:
    """``left operator right`` for each pair of series that match.

    Raises EvaluationError where a series matches more than one, and the operator does not say that it may.
    """
    swap = matching.cardinality == "one-to-many"
    many, one = (right, left) if swap else (left, right)
    step, reason = _first_duplicate(many, one, matching)
    if reason:
        # An error of an earlier step comes first, and there the side of one has no duplicates.
        operated(operator, left.until(step), right.until(step), matching, is_bool=is_bool, late_names=late_names)
        raise EvaluationError(reason)
    pairs = _paired(many, one, matching)
    many_values, one_values = many.values[pairs.many], one.values[pairs.one]
    values, kept = combined(operator, *((one_values, many_values) if swap else (many_values, one_values)))
    present = many.present[pairs.many] & one.present[pairs.one]
    drops_name = operator in ARITHMETIC or (is_bool and not late_names)
    labels = [
        _result_labels(many.labels[many_row], one.labels[one_row], matching, drops_name=drops_name)
        for many_row, one_row in zip(pairs.many, pairs.one, strict=True)
    ]
    _refuse_ambiguity(matching, pairs, labels, present)
    if is_bool:
        values = kept.astype(np.float64)
    else:
        present = present & kept
    frame = Frame(labels, values, present, [is_bool and late_names] * len(labels))
    return merge_same_labels(frame.inhabited())


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Rows of the two sides that match, by position, and the number of the signature they share."""

    many: Integers
    one: Integers
    signature: Integers


def _paired(many: Frame, one: Frame, matching: Matching) -> _Pairs:
    rows_of = _rows_by_signature(one, matching)
    numbers = {key: number for number, key in enumerate(rows_of)}
    found: list[tuple[int, int, int]] = []
    for row, labels in enumerate(many.labels):
        key = signature(labels, matching)
        found.extend((row, one_row, numbers[key]) for one_row in rows_of.get(key, ()))
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    meets = (many.present[table[:, 0]] & one.present[table[:, 1]]).any(axis=1)
    return _Pairs(*table[meets].T)


def _rows_by_signature(frame: Frame, matching: Matching) -> dict[Labels, list[int]]:
    rows_of: dict[Labels, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        rows_of.setdefault(signature(labels, matching), []).append(row)
    return rows_of


def _result_labels(many: Labels, one: Labels, matching: Matching, *, drops_name: bool) -> Labels:
    labels = many.drop(METADATA) if drops_name else many
    if matching.cardinality == "one-to-one":
        return labels.keep(matching.labels) if matching.is_on else labels.drop(matching.labels)
    if not matching.include:
        return labels
    return Labels.of({**dict(labels), **{name: one.get(name) for name in matching.include}})


def _first_duplicate(many: Frame, one: Frame, matching: Matching) -> tuple[int, str]:
    """The first step at which two series on the side of one have the same signature, and what to say; ``""`` where there is none."""
    rows_of = _rows_by_signature(one, matching)
    compared = many.present.any(axis=0)
    found: list[tuple[int, int, Labels, list[Labels]]] = []
    for key, rows in rows_of.items():
        if len(rows) == 1:
            continue
        steps = np.flatnonzero((one.present[rows].sum(axis=0) > 1) & compared)
        if steps.size:
            there = [row for row in rows if one.present[row, steps[0]]][:2]
            found.append((int(steps[0]), there[1], key, sorted(one.labels[row] for row in there)))
    if not found:
        return 0, ""
    step, _, key, (first, second) = min(found)
    side = "left" if matching.cardinality == "one-to-many" else "right"
    return step, (
        f"found duplicate series for the match group {key} on the {side} hand-side of the operation: [{first}, {second}];"
        "many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _refuse_ambiguity(matching: Matching, pairs: _Pairs, labels: list[Labels], present: Booleans) -> None:
    """Raise where a match has two results at one step."""
    members: dict[object, list[int]] = {}
    for index, number in enumerate(pairs.signature.tolist()):
        key = number if matching.cardinality == "one-to-one" else (number, labels[index])
        members.setdefault(key, []).append(index)
    for same in members.values():
        if len(same) > 1 and (present[same].sum(axis=0) > 1).any():
            raise EvaluationError(_AMBIGUOUS if matching.cardinality == "one-to-one" else _NOT_UNIQUE)


def intersected(operator: str, left: Frame, right: Frame, matching: Matching) -> Frame:
    """The set operators: ``and``, ``or``, ``unless``."""
    if operator == "or":
        added = right.masked(~_matched(right, left, matching))
        return merge_same_labels(joined([left, added]).inhabited())
    matched = _matched(left, right, matching)
    return left.masked(matched if operator == "and" else ~matched).inhabited()


def _matched(frame: Frame, other: Frame, matching: Matching) -> Booleans:
    """Where a series of the other frame with the same signature has a value."""
    numbers: dict[Labels, int] = {}
    number_of = [numbers.setdefault(signature(labels, matching), len(numbers)) for labels in other.labels]
    there = np.zeros((len(numbers) + 1, frame.steps), dtype=np.bool_)  # the last row: a signature that the other frame lacks
    for row, number in enumerate(number_of):
        there[number] |= other.present[row]
    return there[[numbers.get(signature(labels, matching), len(numbers)) for labels in frame.labels]]


def with_scalar(operator: str, frame: Frame, scalar: np.ndarray[tuple[int], np.dtype[np.float64]], *, swap: bool, is_bool: bool) -> Frame:
    """``frame operator scalar``, or with ``swap`` the other way round; a comparison keeps the vector's values. Names stay."""
    numbers = np.broadcast_to(scalar, frame.values.shape)
    values, kept = combined(operator, *((numbers, frame.values) if swap else (frame.values, numbers)))
    if is_bool:
        return replace(frame, values=kept.astype(np.float64))
    if operator not in ARITHMETIC:
        values = frame.values
    return replace(frame, values=values, present=frame.present & kept).inhabited()
