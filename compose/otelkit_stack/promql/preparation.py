"""What is settled once the query's times are known: arithmetic with durations, ``@ start()``, and what never changes."""

from __future__ import annotations

import math
from dataclasses import replace

from otelkit_stack.promql import durations
from otelkit_stack.promql.errors import BadQueryError
from otelkit_stack.promql.grid import Grid
from otelkit_stack.promql.signatures import DEPENDS_ON_EVALUATION_TIME
from otelkit_stack.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    DurationTerm,
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


def prepared(expression: Expression, grid: Grid, end: int) -> Expression:
    """The expression for these steps; ``end`` is where the user's range ends, which may lie behind the last step.

    Whatever has the same value at every step is marked as fixed. Raises BadQueryError for a duration that makes no sense.
    """
    preparation = _Preparation(grid.start, end, 0 if grid.start == end else grid.step)
    ready, is_fixed, may_be_marked = preparation.prepare(expression)
    return Fixed(ready) if is_fixed and may_be_marked else ready


class _Preparation:
    """Returns for each node the prepared node, whether it is fixed, and whether marking it so saves work."""

    def __init__(self, start: int, end: int, step: int) -> None:
        self._start = start
        self._end = end
        self._step = step

    def prepare(self, expression: Expression) -> tuple[Expression, bool, bool]:
        match expression:
            case Number() | String() | Fixed():
                return expression, True, False
            case VectorSelector():
                selector = self._selector(expression)
                return selector, selector.at is not None, selector.at is not None
            case MatrixSelector(selector, length):
                chosen = self._selector(selector)
                return MatrixSelector(chosen, self._duration(length)), chosen.at is not None, False
            case Subquery():
                return self._subquery(expression)
            case Paren(inner) | Unary(_, inner):
                ready, is_fixed, may_be_marked = self.prepare(inner)
                return replace(expression, expression=ready), is_fixed, may_be_marked
            case Aggregate(_, inner, parameter):
                ready, is_fixed, may_be_marked = self.prepare(_bare(inner))
                # As in Prometheus, the parameter has no say in whether the whole is fixed.
                parameter = None if parameter is None else self.prepare(_bare(parameter))[0]
                return replace(expression, expression=ready, parameter=parameter), is_fixed, may_be_marked
            case Binary(_, left, right):
                sides = [self.prepare(side) for side in (left, right)]
                if all(is_fixed for _, is_fixed, _ in sides):
                    return replace(expression, left=sides[0][0], right=sides[1][0]), True, True
                left, right = (Fixed(ready) if may_be_marked else ready for ready, _, may_be_marked in sides)
                return replace(expression, left=left, right=right), False, False
            case Call():
                return self._call(expression)

    def _call(self, call: Call) -> tuple[Expression, bool, bool]:
        arguments = [self.prepare(_bare(argument)) for argument in call.arguments]
        moves = call.function.name in DEPENDS_ON_EVALUATION_TIME
        if call.function.name == "timestamp" and isinstance(arguments[0][0], VectorSelector):
            moves = False  # the sample's own time, which the selector fixes
        if not moves and all(is_fixed for _, is_fixed, _ in arguments):
            return replace(call, arguments=tuple(ready for ready, _, _ in arguments)), True, True
        marked = tuple(Fixed(ready) if may_be_marked else ready for ready, _, may_be_marked in arguments)
        return replace(call, arguments=marked), False, False

    def _subquery(self, subquery: Subquery) -> tuple[Expression, bool, bool]:
        inner, is_fixed, _ = self.prepare(subquery.expression)
        ready = replace(
            subquery,
            expression=Fixed(inner) if is_fixed else inner,
            range=self._duration(subquery.range),
            step=None if subquery.step is None else self._duration(subquery.step),
            offset=self._duration(subquery.offset, may_be_negative=True),
            at=self._at(subquery.at),
        )
        return ready, ready.at is not None, False

    def _selector(self, selector: VectorSelector) -> VectorSelector:
        return replace(selector, offset=self._duration(selector.offset, may_be_negative=True), at=self._at(selector.at))

    def _at(self, at: At) -> At:
        return self._start if at == "start" else self._end if at == "end" else at

    def _duration(self, duration: Duration, *, may_be_negative: bool = False) -> int:
        if isinstance(duration, int):
            return duration
        value = self._seconds(duration)
        place = f"{duration.start}:{duration.end}"
        if not math.isfinite(value):
            raise BadQueryError(f"{place}: duration is NaN or infinite")
        if value <= 0 and not may_be_negative:
            raise BadQueryError(f"{place}: duration must be greater than 0")
        if durations.is_out_of_range(value):
            raise BadQueryError(f"{place}: duration is out of range")
        return int(value * 1000) * durations.MILLISECOND

    def _seconds(self, term: DurationTerm | float | None) -> float:
        if not isinstance(term, DurationTerm):
            return term or 0.0
        left, right = self._seconds(term.left), self._seconds(term.right)
        match term.operator:
            case "step":
                return self._step / 1000
            case "range":
                return (self._end - self._start) / 1000
            case "min_of":
                return min(left, right)
            case "max_of":
                return max(left, right)
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "^":
                return _power(left, right)
        if right == 0:
            raise BadQueryError(f"{term.start}:{term.end}: {'division' if term.operator == '/' else 'modulo'} by zero")
        return left / right if term.operator == "/" else math.fmod(left, right)


def _bare(expression: Expression) -> Expression:
    while isinstance(expression, Paren):
        expression = expression.expression
    return expression


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan
