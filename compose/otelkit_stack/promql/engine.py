"""Queries: text in, answer out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from otelkit_stack.promql.annotations import Annotations
from otelkit_stack.promql.calls import Value
from otelkit_stack.promql.context import Context
from otelkit_stack.promql.errors import BadParameterError, BadQueryError, EvaluationError
from otelkit_stack.promql.evaluator import Evaluator
from otelkit_stack.promql.frames import Frame, Scalar, Text, merge_same_labels
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.grid import Grid, between
from otelkit_stack.promql.labels import METADATA, NO_LABELS, Labels
from otelkit_stack.promql.limits import Budget, Cancellation, Options
from otelkit_stack.promql.preparation import prepared
from otelkit_stack.promql.results import Answer, MatrixAnswer, Result, ScalarAnswer, StringAnswer, VectorAnswer
from otelkit_stack.promql.samples import Samples
from otelkit_stack.promql.storage import Storage
from otelkit_stack.promql.syntax import Expression, Fixed, MatrixSelector, Paren, Subquery, type_of

MOST_POINTS = 11_000
"""Most steps of a range query."""
_TOO_FINE = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"


class Engine:
    """Evaluates PromQL over a store. It holds nothing of a query, so threads may share it."""

    def __init__(self, storage: Storage, options: Options | None = None) -> None:
        self._storage = storage
        self._options = options or Options()

    def instant(self, query: str | Expression, time_ms: int, *, cancellation: Cancellation | None = None) -> Result:
        """The query's answer at one moment, in milliseconds since the epoch. Raises QueryError."""
        expression = parse(query) if isinstance(query, str) else query
        grid = Grid(time_ms, 1, 1)
        context = self._context(cancellation)
        with _no_surprises():
            ready = prepared(expression, grid, time_ms)
            answer = self._instant_answer(Evaluator(context), ready, grid)
        return _result(answer, context.annotations, query)

    def range(
        self, query: str | Expression, start_ms: int, end_ms: int, step_ms: int, *, cancellation: Cancellation | None = None
    ) -> Result:
        """The query's answer at each step from start to end, both included; all in milliseconds. Raises QueryError."""
        if end_ms < start_ms:
            raise BadParameterError('invalid parameter "end": end timestamp must not be before start time')
        if step_ms <= 0:
            reason = "zero or negative query resolution step widths are not accepted. Try a positive integer"
            raise BadParameterError(f'invalid parameter "step": {reason}')
        if (end_ms - start_ms) // step_ms > MOST_POINTS:
            raise BadParameterError(_TOO_FINE)
        expression = parse(query) if isinstance(query, str) else query
        if type_of(expression) not in ("scalar", "vector"):
            spoken = {"matrix": "range vector"}.get(type_of(expression), type_of(expression))
            raise BadQueryError(f'invalid expression type "{spoken}" for range query, must be Scalar or instant Vector')
        grid = between(start_ms, end_ms, step_ms)
        context = self._context(cancellation)
        with _no_surprises():
            ready = prepared(expression, grid, end_ms)
            frame = _as_frame(Evaluator(context).evaluate(ready, grid))
            return _result(_matrix(_settled(frame), grid), context.annotations, query)

    def _context(self, cancellation: Cancellation | None) -> Context:
        return Context(self._storage, Budget(self._options, cancellation), Annotations())

    def _instant_answer(self, evaluator: Evaluator, expression: Expression, grid: Grid) -> Answer:
        bare = expression
        while isinstance(bare, Paren | Fixed):
            bare = bare.expression
        if isinstance(bare, MatrixSelector | Subquery):
            samples, ends, length = evaluator.range_of(bare, grid)
            return _raw(samples, ends.end, length // 1_000_000)
        value = evaluator.evaluate(expression, grid)
        match value:
            case Scalar(values):
                return ScalarAnswer(grid.start, float(values[0]))
            case Text(text):
                return StringAnswer(grid.start, text)
            case Frame():
                frame = _settled(value)
                return VectorAnswer(grid.start, tuple(zip(frame.labels, frame.values[:, 0].tolist(), strict=True)))


@contextmanager
def _no_surprises() -> Iterator[None]:
    """Division by zero is infinity, as everywhere in PromQL, and a query that nests too deeply fails like any other."""
    try:
        with np.errstate(all="ignore"):
            yield
    except RecursionError:
        raise EvaluationError("the expression is nested too deeply") from None


def _as_frame(value: Value) -> Frame:
    if isinstance(value, Scalar):
        return Frame.of([NO_LABELS], value.values[np.newaxis], np.ones((1, value.values.size), dtype=np.bool_))
    assert isinstance(value, Frame)
    return value


def _settled(frame: Frame) -> Frame:
    """The frame after what is left of names that should have gone."""
    frame = frame.inhabited()
    if not any(frame.nameless):
        return frame
    labels = [labels.drop(METADATA) if flag else labels for labels, flag in zip(frame.labels, frame.nameless, strict=True)]
    return merge_same_labels(replace(frame, labels=labels))


def _matrix(frame: Frame, grid: Grid) -> MatrixAnswer:
    times = grid.times
    rows = ((labels, times[there], values[there]) for labels, values, there in zip(frame.labels, frame.values, frame.present, strict=True))
    return MatrixAnswer(tuple(sorted(rows, key=_labels_of)))


def _raw(samples: Samples, end: int, length_ms: int) -> MatrixAnswer:
    """The samples of a range themselves."""
    series = []
    for index, labels in enumerate(samples.labels):
        its = slice(int(samples.bounds[index]), int(samples.bounds[index + 1]))
        times = samples.times[its]
        inside = (times > end - length_ms) & (times <= end)
        if inside.any():
            kept = labels.drop(METADATA) if samples.nameless[index] else labels
            series.append((kept, times[inside], samples.values[its][inside]))
    return MatrixAnswer(tuple(sorted(series, key=_labels_of)))


def _labels_of(series: tuple[Labels, object, object]) -> Labels:
    return series[0]


def _result(answer: Answer, annotations: Annotations, query: str | Expression) -> Result:
    text = query if isinstance(query, str) else ""
    return Result(answer, tuple(annotations.warnings(text)), tuple(annotations.infos(text)))
