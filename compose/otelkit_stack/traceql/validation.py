"""What the grammar lets through and Tempo refuses: types that cannot meet, and numbers that nothing made."""

from __future__ import annotations

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import NotSupportedError, TooMuchError, TraceQLError
from otelkit_stack.traceql.operators import COMPARISONS, are_comparable, takes
from otelkit_stack.traceql.patterns import pattern
from otelkit_stack.traceql.values import Type, type_of

DEEPEST = 200
"""Levels of a query: what parses and runs it goes down as many."""
_MOST_GROUPS = 5
_INTRINSIC_TYPES = {
    "duration": Type.DURATION,
    "traceDuration": Type.DURATION,
    "event:timeSinceStart": Type.DURATION,
    "status": Type.STATUS,
    "kind": Type.KIND,
    "span:childCount": Type.INT,
    "nestedSetLeft": Type.INT,
    "nestedSetRight": Type.INT,
    "nestedSetParent": Type.INT,
}


def validated(query: s.Query) -> s.Query:
    """The query. Raises TraceQLError in Tempo's words."""
    _check_depth(query.body)
    _body(query.body)
    return query


def _body(body: s.Pipeline | s.Metrics) -> None:
    match body:
        case s.Pipeline():
            _stage(body)
            return
        case s.MetricsPipeline(pipeline, aggregation):
            _stage(pipeline)
            _metrics(aggregation)
        case s.MetricsOperation(_, left, right):
            _body(left)
            _body(right)
    if any(isinstance(stage, s.Ranked) and stage.limit <= 0 for stage in body.second):
        raise TraceQLError("limit must be greater than 0")


def _check_depth(node: object) -> None:
    waiting = [(node, 1)]  # not recursive, because the query decides about the depth
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise TooMuchError(f"the query is nested too deeply: more than {DEEPEST} levels")
        waiting.extend((child, depth + 1) for child in s.children(node))


def _stage(stage: s.Stage) -> None:
    match stage:
        case s.Pipeline(stages):
            for inner in stages:
                _stage(inner)
        case s.SpansetOperation(_, left, right):
            _stage(left)
            _stage(right)
        case s.Filter(condition):
            if _type(condition) not in (Type.ATTRIBUTE, Type.BOOLEAN):
                raise TraceQLError(f"span filter field expressions must resolve to a boolean: {stage}")
        case s.ScalarFilter(_, aggregate):
            _aggregate(aggregate)
        case s.Group(by):
            if not _refers_to_span(by):
                raise TraceQLError(f"grouping field expressions must reference the span: {stage}")
            _type(by)


def _aggregate(aggregate: s.Aggregate) -> None:
    if aggregate.operand is None:
        return
    type_ = _type(aggregate.operand)
    if type_ is not Type.ATTRIBUTE and not type_.is_numeric:
        raise TraceQLError(f"aggregate field expressions must resolve to a number type: {aggregate}")
    if not _refers_to_span(aggregate.operand):
        raise TraceQLError(f"aggregate field expressions must reference the span: {aggregate}")


def _refers_to_span(expression: s.Field) -> bool:
    if isinstance(expression, s.Attribute):
        return True
    return any(_refers_to_span(child) for child in s.children(expression))  # type: ignore[arg-type] # a field's children are fields


def _type(expression: s.Field) -> Type:
    """The type of the result. Raises TraceQLError where its parts do not fit."""
    match expression:
        case s.Static(value):
            return type_of(value)
        case s.Attribute("intrinsic", name):
            return _INTRINSIC_TYPES.get(name, Type.STRING)
        case s.Attribute():
            return Type.ATTRIBUTE
        case s.Exists(operand):
            _type(operand)
            return Type.BOOLEAN
        case s.Unary(operator, operand):
            type_ = _type(operand)
            if type_ is not Type.ATTRIBUTE and not (type_.is_numeric if operator == "-" else type_ is Type.BOOLEAN):
                raise TraceQLError(f"illegal operation for the given type: {expression}")
            return type_ if operator == "-" else Type.BOOLEAN
        case s.Logic(operator, parts):
            for part in parts:
                if not takes(operator, _type(part)):
                    raise TraceQLError(f"illegal operation for the given types: {expression}")
            return Type.BOOLEAN
        case s.Binary():
            return _binary(expression)


def _binary(expression: s.Binary) -> Type:
    left, right = _type(expression.left), _type(expression.right)
    if not are_comparable(left, right):
        raise TraceQLError(f"binary operations must operate on the same type: {expression}")
    if not takes(expression.operator, left) or not takes(expression.operator, right):
        raise TraceQLError(f"illegal operation for the given types: {expression}")
    if expression.operator in ("=~", "!~"):
        if not isinstance(expression.right, s.Static) or not isinstance(expression.right.value, str):
            raise NotSupportedError(f"{expression.operator} with anything but a text at its right side, {expression.right},")
        pattern(expression.right.value)
    if expression.operator in COMPARISONS:
        return Type.BOOLEAN
    # What is known of one side is known of the result.
    return Type.FLOAT if Type.ATTRIBUTE not in (left, right) else Type.ATTRIBUTE


def _metrics(metrics: s.MetricsAggregation | s.Comparison) -> None:
    if isinstance(metrics, s.Comparison):
        _comparison(metrics)
        return
    most = _MOST_GROUPS - 1 if metrics.function in ("histogram_over_time", "quantile_over_time") else _MOST_GROUPS
    if len(metrics.by) > most:
        raise NotSupportedError(f"metrics group by {len(metrics.by)} values")
    for quantile in metrics.parameters:
        if not 0 <= quantile <= 1:
            raise TraceQLError(f"quantile must be between 0 and 1: {quantile:g}")


def _comparison(comparison: s.Comparison) -> None:
    _stage(comparison.selection)
    if comparison.most_values <= 0:
        raise TraceQLError("compare() top number of values must be integer greater than 0")
    if (comparison.start_ns or comparison.end_ns) and comparison.end_ns <= comparison.start_ns:
        raise TraceQLError("compare() end timestamp must be greater than start timestamp")
