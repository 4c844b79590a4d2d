"""The stages of a query, over one trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.fields import evaluator, holds
from otelkit_stack.traceql.lookup import Lookup
from otelkit_stack.traceql.operators import applied
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.structure import related
from otelkit_stack.traceql.values import Duration, Value, single, type_of


@dataclass(frozen=True, slots=True)
class Spanset:
    """Some spans of a trace, and what stages found out about them together, such as ``count()``."""

    spans: list[Span]
    attributes: dict[str, Value] = field(default_factory=dict)


Spansets = list[Spanset]
Run = Callable[[Spansets], Spansets]


def runner(stage: s.Stage) -> Run:
    """What runs the stage over the sets of spans of one trace."""
    match stage:
        case s.Pipeline(stages):
            return _pipeline(tuple(map(runner, stages)))
        case s.Filter(condition):
            return _filter(condition)
        case s.SpansetOperation(operator, left, right):
            return _operation(operator, runner(left), runner(right))
        case s.ScalarFilter():
            return _scalar_filter(stage)
        case s.Group():
            return _group(stage)
        case s.Coalesce():
            return lambda sets: [Spanset([span for one in sets for span in one.spans])] if sets else []
        case s.Select():
            return lambda sets: sets


def _pipeline(stages: tuple[Run, ...]) -> Run:
    def run(sets: Spansets) -> Spansets:
        for stage in stages:
            if not sets:
                break
            sets = stage(sets)
        return sets

    return run


def _filter(condition: s.Field) -> Run:
    if condition == s.Static(True):
        return lambda sets: sets
    fits = holds(condition)

    def run(sets: Spansets) -> Spansets:
        kept = [replace(one, spans=[span for span in one.spans if fits(span)]) for one in sets]
        return [one for one in kept if one.spans]

    return run


def _operation(operator: str, left: Run, right: Run) -> Run:
    def run(sets: Spansets) -> Spansets:
        kept = []
        for one in sets:
            found = _combined(operator, left([one]), right([one]))
            if found:
                kept.append(replace(one, spans=found))
        return kept

    return run


def _combined(operator: str, left: Spansets, right: Spansets) -> list[Span]:
    if operator == "&&" and not (left and right):
        return []
    if operator in ("&&", "||"):
        return _unique([*left, *right])
    if not right:
        return []
    if len(left) > 1 or len(right) > 1:
        raise TraceQLError("spanset operators are not supported for multiple spansets per trace. consider using coalesce()")
    return related(operator, left[0].spans if left else [], right[0].spans)


def _unique(sets: Spansets) -> list[Span]:
    return [*{id(span): span for one in sets for span in one.spans}.values()]


def _scalar_filter(stage: s.ScalarFilter) -> Run:
    name = str(stage.aggregate)
    number = _AGGREGATES[stage.aggregate.function]
    value_of = None if stage.aggregate.operand is None else evaluator(stage.aggregate.operand)

    def run(sets: Spansets) -> Spansets:
        kept = []
        for one in sets:
            result = number(_numbers(one.spans, value_of)) if value_of is not None else len(one.spans)
            if result is not None and applied(stage.operator, result, stage.value) is True:
                kept.append(replace(one, attributes=one.attributes | {name: result}))
        return kept

    return run


def _numbers(spans: list[Span], value_of: Lookup) -> list[int | float]:
    values = (single(value_of(span)) for span in spans)
    return [value for value in values if isinstance(value, int | float) and type_of(value).is_numeric]


def _sum(values: list[int | float]) -> Value:
    if not values:
        return None
    total = sum(values)
    return Duration(total) if isinstance(values[0], Duration) else total


def _average(values: list[int | float]) -> Value:
    if not values:
        return None
    average = sum(values) / len(values)
    return Duration(average) if isinstance(values[0], Duration) else average


_AGGREGATES: dict[str, Callable[[list[int | float]], Value]] = {
    "count": len,
    "sum": _sum,
    "avg": _average,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
}


def _group(stage: s.Group) -> Run:
    name = str(stage)
    value_of = evaluator(stage.by)

    def run(sets: Spansets) -> Spansets:
        kept: Spansets = []
        for one in sets:
            groups: dict[tuple[type, Value], Spanset] = {}
            for span in one.spans:
                value = single(value_of(span))
                key = (type(value), value)
                if key not in groups:
                    groups[key] = Spanset([], one.attributes | {name: value})
                groups[key].spans.append(span)
            kept.extend(groups.values())
        return kept

    return run
