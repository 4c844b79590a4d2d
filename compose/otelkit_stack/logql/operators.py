"""Operators between numbers and series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.frames import Frame, Labels, Present, Values

Side = Frame | float
_ARITHMETIC: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
}
_COMPARISONS: dict[str, Callable[[Values, Values], Present]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


def combine(query: s.Binary, left: Side, right: Side) -> Side:
    """The operator's value. Raises LogQLError where series cannot be matched."""
    with np.errstate(all="ignore"):
        if isinstance(left, float) and isinstance(right, float):
            values, present = _applied(query, np.array([left]), np.array([right]), is_scalar=True)
            return float(values[0]) if present[0] else float("nan")
        if isinstance(left, Frame) and isinstance(right, Frame):
            return _set(query, left, right) if query.operator in ("and", "or", "unless") else _matched(query, left, right)
        frame = left if isinstance(left, Frame) else right
        assert isinstance(frame, Frame)
        sides = [side.values if isinstance(side, Frame) else np.full_like(frame.values, side) for side in (left, right)]
        values, kept = _applied(query, sides[0], sides[1])
        if query.operator in _COMPARISONS and not query.returns_bool:
            values = frame.values
        return Frame.of([*zip(frame.labels, values, kept & frame.present, strict=True)], frame.values.shape[1])


def _applied(query: s.Binary, left: Values, right: Values, *, is_scalar: bool = False) -> tuple[Values, Present]:
    """Values, and which of them remain."""
    if query.operator in _ARITHMETIC:
        values = _ARITHMETIC[query.operator](left, right)
        return values, np.ones(values.shape, dtype=np.bool_)
    holds = _COMPARISONS[query.operator](left, right)
    if query.returns_bool or is_scalar:
        return holds.astype(np.float64), np.ones(holds.shape, dtype=np.bool_)
    return left, holds


def _signature(labels: Labels, matching: s.Matching) -> Labels:
    return tuple(pair for pair in labels if (pair[0] in matching.labels) is matching.is_on)


def _set(query: s.Binary, left: Frame, right: Frame) -> Frame:
    steps = left.values.shape[1]
    there: dict[Labels, Present] = {}
    for labels, _, present in right.rows():
        key = _signature(labels, query.matching)
        there[key] = there.get(key, np.zeros(steps, dtype=np.bool_)) | present
    nowhere = np.zeros(steps, dtype=np.bool_)
    if query.operator in ("and", "unless"):
        rows = []
        for labels, values, present in left.rows():
            found = there.get(_signature(labels, query.matching), nowhere)
            rows.append((labels, values, present & (found if query.operator == "and" else ~found)))
        return Frame.of(rows, steps)
    here: dict[Labels, Present] = {}
    for labels, _, present in left.rows():
        key = _signature(labels, query.matching)
        here[key] = here.get(key, nowhere) | present
    added = [(labels, values, present & ~here.get(_signature(labels, query.matching), nowhere)) for labels, values, present in right.rows()]
    return _joined([*left.rows(), *added], steps)


def _joined(rows: list[tuple[Labels, Values, Present]], steps: int) -> Frame:
    """Rows of one series as one."""
    of: dict[Labels, tuple[Values, Present]] = {}
    for labels, values, present in rows:
        if labels in of:
            earlier, there = of[labels]
            of[labels] = (np.where(there, earlier, values), there | present)
        else:
            of[labels] = (values, present)
    return Frame.of([(labels, *row) for labels, row in of.items()], steps)


def _matched(query: s.Binary, left: Frame, right: Frame) -> Frame:
    matching, steps = query.matching, left.values.shape[1]
    many, one = (right, left) if matching.group == "group_right" else (left, right)
    by_key: dict[Labels, list[int]] = {}
    for row, labels in enumerate(one.labels):
        by_key.setdefault(_signature(labels, matching), []).append(row)
    rows: list[tuple[Labels, Values, Present]] = []
    seen: dict[Labels, Present] = {}
    for labels, values, present in many.rows():
        key = _signature(labels, matching)
        for row in by_key.get(key, ()):
            both = present & one.present[row]
            if not both.any():
                continue
            pair = (one.values[row], values) if matching.group == "group_right" else (values, one.values[row])
            result, kept = _applied(query, *pair)
            name = _result_labels(query, labels, one.labels[row], key)
            taken = seen.get(name, np.zeros(steps, dtype=np.bool_))
            if (taken & both).any():
                raise LogQLError("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
            seen[name] = taken | both
            rows.append((name, result, both & kept))
    return _joined(rows, steps)


def _result_labels(query: s.Binary, many: Labels, one: Labels, key: Labels) -> Labels:
    matching = query.matching
    if matching.group:
        taken = {name: value for name, value in one if name in matching.include}
        return tuple(sorted({**dict(many), **taken}.items()))
    return key if matching.is_on or matching.labels else many
