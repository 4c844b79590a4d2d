"""Numbers over time made of spans, one after the other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.buckets import bucket_of, quantile
from otelkit_stack.traceql.errors import TooMuchError
from otelkit_stack.traceql.lookup import hex_id, lookup_of
from otelkit_stack.traceql.series import NAME, Exemplar, Labels, Series
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.steps import Steps
from otelkit_stack.traceql.values import Duration, Value, single

MOST_NUMBERS = 1_000_000
"""Of one answer: its series times its steps."""
MOST_EXEMPLARS = 100
_EXEMPLARS_PER_STEP = 2
_BUCKET = "__bucket"
# Where nothing was counted, that is a number too.
_COUNTS = frozenset({"rate", "count_over_time", "histogram_over_time"})

Key = tuple[tuple[type, Value], ...]


@dataclass(slots=True)
class _Group:
    """The spans of one series."""

    values: list[float]
    counts: list[int] = field(default_factory=list)
    buckets: list[dict[float, int] | None] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    exemplars_at: dict[int, int] = field(default_factory=lambda: defaultdict(int))


class Aggregation:
    """Takes spans and gives series; an exemplar has the attributes that are ``shown``.

    Raises TooMuchError for more numbers than an answer may have.
    """

    def __init__(
        self, what: s.MetricsAggregation, steps: Steps, shown: Iterable[s.Attribute] = (), *, exemplars: int = MOST_EXEMPLARS
    ) -> None:
        self._what = what
        self._steps = steps
        self._by = tuple((str(attribute), lookup_of(attribute)) for attribute in self._what.by)
        self._value = lookup_of(self._what.attribute) if self._what.attribute is not None else None
        self._take = {
            "rate": self._count,
            "count_over_time": self._count,
            "min_over_time": self._extreme,
            "max_over_time": self._extreme,
            "sum_over_time": self._sum,
            "avg_over_time": self._sum,
            "histogram_over_time": self._bucket,
            "quantile_over_time": self._quantile,
        }[self._what.function]
        self._groups: dict[Key, _Group] = {}
        self._exemplars_left = min(exemplars, MOST_EXEMPLARS)
        self._traces: set[bytes] = set()
        self._shown = {str(attribute): lookup_of(attribute) for attribute in shown}

    def observe(self, span: Span) -> None:
        """Count the span at the step it started in."""
        place = self._steps.place(span.start_ns)
        if place < 0:
            return
        key: Key = tuple([(type(value := single(read(span))), value) for _, read in self._by])
        self._take(key, place, span)

    def series(self) -> list[Series]:
        """What the spans so far make."""
        if not self._groups and not self._by and self._what.function in ("rate", "count_over_time"):
            self._group(())
        return [series for key, group in self._groups.items() for series in self._finished(key, group)]

    # --- one span ---------------------------------------------------------------------------------------------------------

    def _count(self, key: Key, place: int, span: Span) -> None:
        group = self._groups.get(key) or self._group(key)
        group.values[place] += 1
        self._exemplify(group, place, span, None)

    def _extreme(self, key: Key, place: int, span: Span) -> None:
        value = self._number(span)
        group = self._groups.get(key) or self._group(key)
        if value is None:
            return
        now = group.values[place]
        is_better = value < now if self._what.function == "min_over_time" else value > now
        if math.isnan(now) or is_better:
            group.values[place] = value
        self._exemplify(group, place, span, value)

    def _sum(self, key: Key, place: int, span: Span) -> None:
        value = self._number(span)
        group = self._groups.get(key) or self._group(key)
        if value is None:
            return
        now = group.values[place]
        group.values[place] = value if math.isnan(now) else now + value
        group.counts[place] += 1
        self._exemplify(group, place, span, value)

    def _bucket(self, key: Key, place: int, span: Span) -> None:
        bucket = bucket_of(single(self._value(span))) if self._value is not None else None
        if bucket is not None:
            self._count((*key, (float, bucket)), place, span)

    def _quantile(self, key: Key, place: int, span: Span) -> None:
        value = single(self._value(span)) if self._value is not None else None
        bucket = bucket_of(value)
        if bucket is None:
            return
        group = self._groups.get(key) or self._group(key)
        counts = group.buckets[place]
        if counts is None:
            counts = group.buckets[place] = {}
        counts[bucket] = counts.get(bucket, 0) + 1
        self._exemplify(group, place, span, _seconds(value))

    def _number(self, span: Span) -> float | None:
        return _seconds(single(self._value(span))) if self._value is not None else None

    # --- one series -------------------------------------------------------------------------------------------------------

    def _group(self, key: Key) -> _Group:
        count = self._steps.count
        if (len(self._groups) + 1) * count > MOST_NUMBERS:
            raise TooMuchError(f"more than {MOST_NUMBERS} numbers: make the step longer, or group by attributes with fewer values")
        start = 0.0 if self._what.function in _COUNTS else math.nan
        group = self._groups[key] = _Group([start] * count)
        if self._what.function in ("sum_over_time", "avg_over_time"):
            group.counts = [0] * count
        elif self._what.function == "quantile_over_time":
            group.buckets = [None] * count
        return group

    def _exemplify(self, group: _Group, place: int, span: Span, value: float | None) -> None:
        if self._exemplars_left <= 0 or group.exemplars_at[place] >= _EXEMPLARS_PER_STEP or span.trace_id in self._traces:
            return
        self._traces.add(span.trace_id)
        self._exemplars_left -= 1
        group.exemplars_at[place] += 1
        values = {name: single(read(span)) for name, read in self._shown.items()}
        labels: Labels = (("trace:id", hex_id(span.trace_id)), *values.items())
        group.exemplars.append(Exemplar(labels, value, span.start_ns))

    def _finished(self, key: Key, group: _Group) -> list[Series]:
        labels, exemplars = self._labels(key), tuple(group.exemplars)
        match self._what.function:
            case "rate":
                seconds = self._steps.step_ns / 1e9
                return [Series(labels, [value / seconds for value in group.values], exemplars)]
            case "avg_over_time":
                averages = [total / count if count else math.nan for total, count in zip(group.values, group.counts, strict=True)]
                return [Series(labels, averages, exemplars)]
            case "quantile_over_time":
                return [
                    Series(
                        (*labels, ("p", of)), [quantile(of, buckets or {}) for buckets in group.buckets], exemplars if not number else ()
                    )
                    for number, of in enumerate(self._what.parameters)
                ]
            case _:
                return [Series(labels, group.values, exemplars)]

    def _labels(self, key: Key) -> Labels:
        """What tells the series from others: values that are there. Where none is, the first is ``nil``."""
        pairs = zip(self._by, key, strict=False)
        labels = tuple((name, value) for (name, _), (_, value) in pairs if value is not None)
        if self._what.function == "histogram_over_time":
            return (*labels, (_BUCKET, key[-1][1]))
        if self._what.function == "quantile_over_time" and not self._by:
            return ()
        if not self._by:
            return ((NAME, self._what.function),)
        return labels or ((self._by[0][0], None),)


def _seconds(value: Value) -> float | None:
    """The number, of a duration its seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value / 1e9 if isinstance(value, Duration) else float(value)
