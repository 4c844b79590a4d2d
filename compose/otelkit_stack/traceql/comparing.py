"""What is different about some spans: ``compare`` counts each value of each attribute among them, and among the others."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.aggregation import MOST_NUMBERS
from otelkit_stack.traceql.errors import TooMuchError
from otelkit_stack.traceql.fields import holds
from otelkit_stack.traceql.lookup import INTRINSICS
from otelkit_stack.traceql.series import Series
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.steps import Steps
from otelkit_stack.traceql.values import Value, single, stored_value, text_of

META = "__meta_type"
# Ids and durations differ from span to span: to count them tells nothing.
_INTRINSICS = ("name", "kind", "status", "statusMessage", "rootName", "rootServiceName")

Counts = dict[str, dict[tuple[type, Value], list[float]]]


class ComparisonOfSpans:
    """Takes spans and gives series: ``selection`` and ``baseline`` for each of the most frequent values, and the totals of each attribute.

    Raises TooMuchError for more numbers than an answer may have.
    """

    def __init__(self, what: s.Comparison, steps: Steps) -> None:
        self._what = what
        self._steps = steps
        self._fits = holds(what.selection.condition)
        self._counts: dict[str, Counts] = {"baseline": {}, "selection": {}}
        self._numbers = 0

    def observe(self, span: Span) -> None:
        """Count the span's values at the step it started in."""
        place = self._steps.place(span.start_ns)
        if place < 0:
            return
        counts = self._counts["selection" if self._is_selected(span) else "baseline"]
        for name, value in _values(span):
            of_name = counts.setdefault(name, {})
            key = (type(value), value)
            if key not in of_name:
                self._numbers += self._steps.count
                if self._numbers > MOST_NUMBERS:
                    raise TooMuchError(f"more than {MOST_NUMBERS} numbers: make the step longer, or ask for one moment")
                of_name[key] = [0.0] * self._steps.count
            of_name[key][place] += 1

    def series(self) -> list[Series]:
        """What the spans so far make."""
        return [series for kind, counts in self._counts.items() for name in counts for series in self._of(kind, name, counts[name])]

    def _is_selected(self, span: Span) -> bool:
        if self._what.end_ns and not self._what.start_ns <= span.start_ns < self._what.end_ns:
            return False
        return self._fits(span)

    def _of(self, kind: str, name: str, counts: dict[tuple[type, Value], list[float]]) -> Iterator[Series]:
        most = sorted(counts.items(), key=lambda item: (-sum(item[1]), text_of(item[0][1])))[: self._what.most_values]
        for (_, value), values in most:
            yield Series(((META, kind), (name, value)), values)
        yield Series(((META, f"{kind}_total"), (name, None)), [sum(column) for column in zip(*counts.values(), strict=True)])


def _values(span: Span) -> Iterator[tuple[str, Value]]:
    """Everything that a span says of itself, and its resource of it."""
    for name in _INTRINSICS:
        value = single(INTRINSICS[name](span))
        if value is not None:
            yield name, value
    for scope, attributes in (("span", span.attributes), ("resource", span.resource.attributes)):
        for name, stored in attributes.items():
            value = stored_value(stored)
            if value is not None:
                yield str(s.Attribute(scope, name)), value  # type: ignore[arg-type] # both are scopes
