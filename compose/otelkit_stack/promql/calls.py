"""Functions of instant vectors and numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from otelkit_stack.promql.arrays import Floats
from otelkit_stack.promql.calendar import CALENDAR
from otelkit_stack.promql.context import Context
from otelkit_stack.promql.elementwise import ELEMENTWISE, clamped, rounded
from otelkit_stack.promql.frames import Frame, Scalar, Text, merge_same_labels
from otelkit_stack.promql.grid import Grid
from otelkit_stack.promql.histograms import histogram_fraction, histogram_quantile
from otelkit_stack.promql.label_functions import label_join, label_replace
from otelkit_stack.promql.labels import METRIC_NAME, NO_LABELS, Labels
from otelkit_stack.promql.syntax import Call, Expression, MatrixSelector, VectorSelector

Value = Scalar | Text | Frame

_NATIVE_HISTOGRAMS_ONLY = ("histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar")


def called(context: Context, call: Call, arguments: Sequence[Value], grid: Grid) -> Value:
    """The function's result for these arguments."""
    name = call.function.name
    frames = [argument for argument in arguments if isinstance(argument, Frame)]
    numbers = [argument.values for argument in arguments if isinstance(argument, Scalar)]
    texts = [argument.value for argument in arguments if isinstance(argument, Text)]
    late = context.options.late_names
    match name:
        case "time":
            return Scalar(grid.times / 1000)
        case "pi":
            return Scalar(np.full(grid.count, np.pi))
        case "scalar":
            return _scalar(frames[0])
        case "vector":
            return Frame.of([NO_LABELS], numbers[0][np.newaxis], np.ones((1, grid.count), dtype=np.bool_))
        case "absent":
            return absent(call.arguments[0], frames[0])
        case "sort" | "sort_desc":
            return _sorted(context, call, frames[0], grid)
        case "label_replace":
            return label_replace(frames[0], *texts)
        case "label_join":
            return label_join(frames[0], texts[0], texts[1], texts[2:])
        case "histogram_quantile":
            starts = (call.arguments[0].start, call.arguments[1].start)
            result = histogram_quantile(frames[0], numbers[0], context.annotations, starts, grid.times.tolist(), late_names=late)
            return merge_same_labels(result)
        case "histogram_fraction":
            start = call.arguments[2].start
            return merge_same_labels(histogram_fraction(frames[0], numbers[0], numbers[1], context.annotations, start, late_names=late))
    if name in _NATIVE_HISTOGRAMS_ONLY:
        return Frame.empty(grid.count)  # which looks at nothing else, and no sample here is one
    if name in CALENDAR and not frames:
        return Frame.of([NO_LABELS], CALENDAR[name](np.trunc(grid.times / 1000))[np.newaxis], np.ones((1, grid.count), dtype=np.bool_))
    if name == "clamp":
        # Limits that exclude everything leave nothing.
        frames[0] = frames[0].masked(~(numbers[1] < numbers[0])).inhabited()
    return _computed(frames[0], _function(name, numbers), late=late)


def _function(name: str, numbers: Sequence[Floats]) -> Callable[[Floats], Floats]:
    match name:
        case "round":
            return lambda values: rounded(values, numbers[0] if numbers else np.ones(1))
        case "clamp":
            return lambda values: clamped(values, *numbers)
        case "clamp_min":
            return lambda values: clamped(values, numbers[0], np.full(1, np.inf))
        case "clamp_max":
            return lambda values: clamped(values, np.full(1, -np.inf), numbers[0])
    return CALENDAR[name] if name in CALENDAR else ELEMENTWISE[name]


def _computed(frame: Frame, function: Callable[[Floats], Floats], *, late: bool) -> Frame:
    return merge_same_labels(replace(frame, values=function(frame.values)).without_names(late=late))


def timestamps(frame: Frame, seconds: Floats, *, late: bool) -> Frame:
    """The vector with these times instead of its values."""
    return _computed(frame, lambda _: np.broadcast_to(seconds, frame.values.shape), late=late)


def _scalar(frame: Frame) -> Scalar:
    if not frame.labels:
        return Scalar(np.full(frame.steps, np.nan))
    only = frame.values[frame.present.argmax(axis=0), np.arange(frame.steps)]
    return Scalar(np.where(frame.present.sum(axis=0) == 1, only, np.nan))


def absent(argument: Expression, frame: Frame) -> Frame:
    """One series that is 1 where the vector is empty, with the labels that the selector asks for by equality."""
    is_empty = np.logical_not(frame.present.any(axis=0))[np.newaxis]
    return Frame.of([_asked_labels(argument)], np.ones((1, frame.steps)), is_empty).inhabited()


def _asked_labels(argument: Expression) -> Labels:
    selector = argument.selector if isinstance(argument, MatrixSelector) else argument
    if not isinstance(selector, VectorSelector):
        return NO_LABELS
    asked: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in selector.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.operator == "=" and matcher.name not in seen:
            asked[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            asked.pop(matcher.name, None)
    return Labels.of(asked)


def _sorted(context: Context, call: Call, frame: Frame, grid: Grid) -> Frame:
    if grid.is_range:
        context.annotations.sort_in_range(call.start)
        return frame
    values = frame.values[:, 0]
    keys = -values if call.function.name == "sort_desc" else values
    return frame.rows(np.lexsort((keys, np.isnan(values))))
