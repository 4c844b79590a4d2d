"""Evaluation of a prepared expression, at all steps of a query at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from otelkit_stack.go_text import quoted
from otelkit_stack.promql import durations
from otelkit_stack.promql.aggregations import aggregated, quantiles
from otelkit_stack.promql.calls import Value, absent, called, timestamps
from otelkit_stack.promql.context import Context
from otelkit_stack.promql.errors import EvaluationError
from otelkit_stack.promql.frames import Frame, Scalar, Text, merge_same_labels
from otelkit_stack.promql.grid import Grid, between
from otelkit_stack.promql.groups import grouped
from otelkit_stack.promql.labels import is_label_name
from otelkit_stack.promql.matching import intersected, operated, with_scalar
from otelkit_stack.promql.operators import ARITHMETIC, COMPARISON, HISTOGRAM_ONLY
from otelkit_stack.promql.ranging import PLAIN, WITH_NUMBER, named, ranged
from otelkit_stack.promql.ranking import ranked, value_counts
from otelkit_stack.promql.samples import Samples
from otelkit_stack.promql.selecting import moments, selected
from otelkit_stack.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Fixed,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from otelkit_stack.promql.tokens import SET_OPERATORS


class Evaluator:
    """Evaluates the parts of one query. Raises QueryError of one kind or another."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def evaluate(self, expression: Expression, grid: Grid) -> Value:
        """What the expression is at each step."""
        self._context.budget.check()
        match expression:
            case Number(value):
                return Scalar(np.full(grid.count, value))
            case String(value):
                return Text(value)
            case Paren(inner):
                return self.evaluate(inner, grid)
            case Fixed(inner):
                return self._fixed(inner, grid)
            case VectorSelector():
                return selected(self._context, expression, grid)[0]
            case Unary():
                return self._unary(expression, grid)
            case Binary():
                return self._binary(expression, grid)
            case Aggregate():
                return self._aggregate(expression, grid)
            case Call():
                return self._call(expression, grid)
        raise EvaluationError("a range vector has no value at a step")  # the types were checked: only functions take one

    def frame(self, expression: Expression, grid: Grid) -> Frame:
        """What an expression of vectors is at each step."""
        value = self.evaluate(expression, grid)
        assert isinstance(value, Frame)
        return value

    def range_of(self, expression: MatrixSelector | Subquery, grid: Grid) -> tuple[Samples, Grid, int]:
        """The samples of a range vector, where its windows end and how long they are, in nanoseconds."""
        assert isinstance(expression.range, int)
        length = durations.milliseconds(expression.range)
        if isinstance(expression, Subquery):
            ends = moments(expression, grid)
            return self._subquery_samples(expression, ends, length), ends, expression.range
        ends = moments(expression.selector, grid)
        samples = self._context.samples(expression.selector.matchers, ends.start - length + 1, ends.end)
        return samples.without_stale(), ends, expression.range

    def _subquery_samples(self, subquery: Subquery, ends: Grid, length: int) -> Samples:
        assert subquery.step is None or isinstance(subquery.step, int)
        step = durations.milliseconds(subquery.step) if subquery.step else self._context.options.subquery_step_ms
        if step <= 0:
            raise EvaluationError("the step of a subquery must be a millisecond or longer")
        # Steps are multiples of their length, whatever the query's own times; the first lies inside the first window.
        first = ((ends.start - length) // step + 1) * step
        inner = between(first, ends.end, step)
        if not inner.count:
            return Samples.of_series([])
        self._context.budget.hold(inner.count)
        return Samples.of_frame(self.frame(subquery.expression, inner), inner)

    def _fixed(self, expression: Expression, grid: Grid) -> Value:
        value = self.evaluate(expression, grid.first())
        match value:
            case Frame():
                self._context.budget.hold(len(value.labels) * grid.count)
                return value.spread(grid.count)
            case Scalar():
                return Scalar(np.broadcast_to(value.values, (grid.count,)))
        return value

    def _unary(self, unary: Unary, grid: Grid) -> Value:
        value = self.evaluate(unary.expression, grid)
        if unary.operator == "+" or isinstance(value, Text):
            return value
        if isinstance(value, Scalar):
            return Scalar(-value.values)
        negated = replace(value, values=-value.values)
        return merge_same_labels(negated.without_names(late=self._context.options.late_names))

    def _binary(self, binary: Binary, grid: Grid) -> Value:
        left, right = self.evaluate(binary.left, grid), self.evaluate(binary.right, grid)
        operator, late = binary.operator, self._context.options.late_names
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return _scalars(operator, left, right)
        if isinstance(left, Frame) and isinstance(right, Frame):
            if operator in SET_OPERATORS:
                return intersected(operator, left, right, binary.matching)
            result = operated(operator, left, right, binary.matching, is_bool=binary.is_bool, late_names=late)
            both = left.present.any() and right.present.any()
        else:
            frame, scalar = (left, right) if isinstance(left, Frame) else (right, left)
            assert isinstance(frame, Frame)
            assert isinstance(scalar, Scalar)
            result = with_scalar(operator, frame, scalar.values, swap=frame is right, is_bool=binary.is_bool)
            both = frame.present.any()
            if operator in ARITHMETIC or binary.is_bool:
                result = merge_same_labels(result.without_names(late=late))
        if operator in HISTOGRAM_ONLY and both:
            self._context.annotations.incompatible_types(operator, binary.start)
        return result

    def _aggregate(self, aggregate: Aggregate, grid: Grid) -> Frame:
        parameter = None if aggregate.parameter is None else self.evaluate(aggregate.parameter, grid)
        if isinstance(parameter, Text) and not is_label_name(parameter.value):
            raise EvaluationError(f"invalid label name {quoted(parameter.value)}")
        frame = self.frame(aggregate.expression, grid)
        if isinstance(parameter, Text):
            return merge_same_labels(value_counts(frame, aggregate.labels, parameter.value, is_without=aggregate.is_without))
        groups = grouped(frame, aggregate.labels, is_without=aggregate.is_without)
        if parameter is None:
            return aggregated(frame, groups, aggregate.operator)
        assert isinstance(parameter, Scalar)
        if aggregate.operator == "quantile":
            assert aggregate.parameter is not None
            self._warn_of_ratios(parameter, aggregate.parameter.start)
            return quantiles(frame, groups, parameter.values)
        return ranked(frame, groups, parameter.values, is_top=aggregate.operator == "topk")

    def _warn_of_ratios(self, ratios: Scalar, start: int) -> None:
        if np.isnan(ratios.values).any():
            self._context.annotations.invalid_quantile(np.nan, start)
        for extreme in (ratios.values.max(), ratios.values.min()):
            if not np.isnan(extreme) and not 0 <= extreme <= 1:
                self._context.annotations.invalid_quantile(float(extreme), start)

    def _call(self, call: Call, grid: Grid) -> Value:
        name = call.function.name
        if name in PLAIN or name in WITH_NUMBER:
            return self._range_call(call, grid)
        if name == "timestamp" and isinstance(call.arguments[0], VectorSelector):
            frame, times = selected(self._context, call.arguments[0], grid)
            return timestamps(frame, times / 1000, late=self._context.options.late_names)
        arguments = [self.evaluate(argument, grid) for argument in call.arguments]
        if name == "timestamp":
            assert isinstance(arguments[0], Frame)
            return timestamps(arguments[0], grid.times / 1000, late=self._context.options.late_names)
        return called(self._context, call, arguments, grid)

    def _range_call(self, call: Call, grid: Grid) -> Frame:
        name = call.function.name
        numbers = []
        source: MatrixSelector | Subquery | None = None
        for argument in call.arguments:
            if isinstance(argument, MatrixSelector | Subquery):
                source = argument
            else:
                value = self.evaluate(argument, grid)
                assert isinstance(value, Scalar)
                numbers.append(value.values)
        assert source is not None
        samples, ends, length = self.range_of(source, grid)
        window = (durations.milliseconds(length), durations.seconds(length))
        frame = ranged(self._context, name, samples, ends, window, grid, numbers)
        if name == "absent_over_time":
            return absent(source, frame)
        if name == "quantile_over_time":
            evaluated = frame.present.any(axis=0)
            for ratio in dict.fromkeys(numbers[0][evaluated].tolist()):
                if not 0 <= ratio <= 1:
                    self._context.annotations.invalid_quantile(ratio, call.arguments[0].start)
        return named(self._context, name, frame, source.start)


def _scalars(operator: str, left: Scalar, right: Scalar) -> Scalar:
    if operator in COMPARISON:
        return Scalar(COMPARISON[operator](left.values, right.values).astype(np.float64))
    if operator in HISTOGRAM_ONLY:
        raise EvaluationError(f"operator {quoted(operator)} not allowed for Scalar operations")
    return Scalar(ARITHMETIC[operator](left.values, right.values))
