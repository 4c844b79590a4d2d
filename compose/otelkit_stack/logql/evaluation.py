"""The answer to a query: lines, or numbers at steps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.aggregating import aggregate, grouped
from otelkit_stack.logql.errors import LogQLError, TooMuchError
from otelkit_stack.logql.filters import number
from otelkit_stack.logql.frames import Frame, Labels, labels_of
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.operators import Side, combine
from otelkit_stack.logql.ranges import Times, over_windows
from otelkit_stack.logql.reading import Lines
from otelkit_stack.logql.stages.template_functions import _go_replacement
from otelkit_stack.logql.units import go_duration_ns, size_bytes
from otelkit_stack.selectors.regex import compiled

MOST_STEPS = 11_000
MOST_SERIES = 5000
"""Of one answer, as far as Loki's default goes ten times."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments of a query in Unix nanoseconds: one, or many evenly apart."""

    start_ns: int
    end_ns: int
    step_ns: int

    def times(self) -> Times:
        """Each of them. Raises TooMuchError for more than a picture can show."""
        if (self.end_ns - self.start_ns) // self.step_ns >= MOST_STEPS:
            raise TooMuchError(
                "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"
            )
        return np.arange(self.start_ns, self.end_ns + 1, self.step_ns, dtype=np.int64)


def lines(query: s.LogQuery, source: Lines, start_ns: int, end_ns: int, *, limit: int, newest_first: bool) -> list[Line]:
    """The first ``limit`` lines from ``start_ns`` (included) to ``end_ns`` (not), in the direction asked for."""
    found: list[Line] = []
    for line in source.read(query, start_ns - 1, end_ns - 1, newest_first=newest_first):
        found.append(line)
        if len(found) >= limit:
            break
    return found


def metric(query: s.Metric, source: Lines, steps: Steps) -> Side:
    """Numbers at each step, or one number for a query of numbers alone. Raises LogQLError."""
    return _Evaluation(source, steps.times()).of(query)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    source: Lines
    steps: Times

    def of(self, query: s.Metric) -> Side:
        match query:
            case s.NumberLiteral(value):
                return value
            case s.VectorLiteral(value):
                count = len(self.steps)
                return Frame([()], np.full((1, count), value), np.ones((1, count), dtype=np.bool_))
            case s.RangeAggregation():
                return self._range(query)
            case s.VectorAggregation():
                return aggregate(query, self._frame(query.inner))
            case s.LabelReplace():
                return self._replaced(query)
            case s.Binary():
                return combine(query, self.of(query.left), self.of(query.right))

    def _frame(self, query: s.Metric) -> Frame:
        side = self.of(query)
        if isinstance(side, float):
            raise LogQLError("parse error : an aggregation needs series, and this is a number")
        return side

    def _range(self, query: s.RangeAggregation) -> Frame:
        series: dict[Labels, tuple[list[int], list[float]]] = {}
        ends = self.steps - query.offset_ns
        for line in self.source.read(query.query, int(ends[0]) - query.window_ns, int(ends[-1])):
            sample = _sample(query, line)
            if sample is None:
                continue
            if line.error:
                raise LogQLError(_pipeline_error(line))
            labels = _series_labels(query, line)
            times, values = series.setdefault(labels, ([], []))
            times.append(line.time_ns)
            values.append(sample)
            if len(series) > MOST_SERIES:
                raise TooMuchError(f"maximum number of series ({MOST_SERIES}) reached for a single query")
        if query.function == "absent_over_time":
            return self._absent(query, series, ends)
        rows = [
            (labels, *over_windows(_function(query), np.array(times), np.array(values), ends, query.window_ns, query.parameter))
            for labels, (times, values) in sorted(series.items())
        ]
        return Frame.of(rows, len(self.steps))

    def _absent(self, query: s.RangeAggregation, series: dict[Labels, tuple[list[int], list[float]]], ends: Times) -> Frame:
        times = np.array(sorted(time for of, _ in series.values() for time in of), dtype=np.int64)
        _, present = over_windows("count_over_time", times, np.zeros(len(times)), ends, query.window_ns, None)
        equal = [(matcher.name, matcher.value) for matcher in query.query.matchers if matcher.operator == "="]
        names = [name for name, _ in equal]
        labels = labels_of({name: value for name, value in equal if names.count(name) == 1})
        return Frame.of([(labels, np.ones(len(ends)), ~present)], len(ends))

    def _replaced(self, query: s.LabelReplace) -> Frame:
        frame = self._frame(query.inner)
        rows = []
        for labels, values, present in frame.rows():
            pairs = dict(labels)
            match = compiled(query.pattern).fullmatch(pairs.get(query.source, ""))
            if match is not None:
                pairs[query.destination] = match.expand(_go_replacement(query.replacement))
            rows.append((labels_of(pairs), values, present))
        return Frame.of(rows, len(self.steps))


def _function(query: s.RangeAggregation) -> str:
    """``rate`` of unwrapped numbers adds them up; of lines it counts."""
    return "sum_rate" if query.function == "rate" and query.unwrap is not None else query.function


def _sample(query: s.RangeAggregation, line: Line) -> float | None:
    """The line's number; None where it has none, or a filter behind ``unwrap`` keeps it out."""
    if query.unwrap is None:
        return float(len(line.text.encode())) if query.function in ("bytes_over_time", "bytes_rate") else 1.0
    text = line.get(query.unwrap.label)
    if not text:
        return None
    value = 0.0
    try:
        value = _CONVERSIONS[query.unwrap.conversion](text)
    except ValueError as error:
        if not line.error:
            line.fail("SampleExtractionErr", str(error))
    return value if all(condition.accepts(line) for condition in query.unwrap.after) else None


_CONVERSIONS = {
    "": number,
    "duration": lambda text: go_duration_ns(text) / 1e9,
    "duration_seconds": lambda text: go_duration_ns(text) / 1e9,
    "bytes": size_bytes,
}


def _series_labels(query: s.RangeAggregation, line: Line) -> Labels:
    labels = labels_of(line.all_labels())
    if query.grouping is not None:
        labels = grouped(labels, query.grouping)
    if query.unwrap is not None:
        labels = tuple(pair for pair in labels if pair[0] != query.unwrap.label)
    return labels


def _pipeline_error(line: Line) -> str:
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels_of(line.all_labels()))
    return (
        f"pipeline error: '{line.error}' for series: '{{{shown}}}'.\nUse a label filter to intentionally skip this error."
        f' (e.g | __error__!="{line.error}").\nTo skip all potential errors you can match empty errors.'
        ' (e.g __error__="")\nThe label filter can also be specified after unwrap.'
        ' (e.g | unwrap latency | __error__="" )\n'
    )


def streams(found: Sequence[Line]) -> Iterator[tuple[Labels, list[Line]]]:
    """Lines by all of their labels, in the order of the first line of each."""
    by_labels: dict[Labels, list[Line]] = {}
    for line in found:
        by_labels.setdefault(tuple(sorted(line.all_labels().items())), []).append(line)
    yield from by_labels.items()
