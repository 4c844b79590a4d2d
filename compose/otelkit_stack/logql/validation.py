"""What the grammar lets through and Loki refuses."""

from __future__ import annotations

from dataclasses import replace

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.errors import LogQLError

_WITH_UNWRAP = frozenset(
    {
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "rate_counter",
    }
)
_WITHOUT_UNWRAP = frozenset({"count_over_time", "bytes_over_time", "bytes_rate"})
_GROUPABLE = frozenset(
    {
        "avg_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "max_over_time",
        "min_over_time",
        "first_over_time",
        "last_over_time",
    }
)
_PARAMETRIC = frozenset({"topk", "bottomk"})


def validated(query: s.Query) -> s.Query:
    """The query, numbers folded. Raises LogQLError in Loki's words."""
    if isinstance(query, s.LogQuery):
        _check_matchers(query)
        if any(isinstance(stage, s.Unwrap) for stage in query.stages):
            raise LogQLError("parse error : unwrap needs a range aggregation around it, such as sum_over_time(... [5m])")
        return query
    return _metric(query)


def _check_matchers(query: s.LogQuery) -> None:
    if not any(not matcher.matches("") for matcher in query.matchers):
        raise LogQLError(
            "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value."
            ' For instance, app=~".*" does not meet this requirement, but app=~".+" will'
        )


def _metric(query: s.Metric) -> s.Metric:
    match query:
        case s.RangeAggregation():
            _check_range(query)
            return query
        case s.VectorAggregation():
            return _vector(query)
        case s.LabelReplace():
            return replace(query, inner=_metric(query.inner))
        case s.Binary():
            left, right = _metric(query.left), _metric(query.right)
            numbers = [isinstance(side, s.NumberLiteral) for side in (left, right)]
            if query.operator in ("and", "or", "unless") and any(numbers):
                side = "left" if numbers[0] else "right"
                raise LogQLError(f"parse error : unexpected literal for {side} leg of logical/set binary operation ({query.operator})")
            return replace(query, left=left, right=right)
        case _:
            return query


def _check_range(query: s.RangeAggregation) -> None:
    _check_matchers(query.query)
    name = query.function
    if query.unwrap is not None and name in _WITHOUT_UNWRAP:
        raise LogQLError(f"parse error : invalid aggregation {name} with unwrap")
    if query.unwrap is None and name in _WITH_UNWRAP:
        raise LogQLError(f"parse error : invalid aggregation {name} without unwrap")
    if name == "quantile_over_time" and query.parameter is None:
        raise LogQLError("parse error : parameter required for operation quantile_over_time")
    if name != "quantile_over_time" and query.parameter is not None:
        raise LogQLError(f"parse error : parameter {query.parameter:g} not supported for operation {name}")
    if query.grouping is not None and name not in _GROUPABLE:
        raise LogQLError(f"parse error : grouping not allowed for {name} aggregation")


def _vector(query: s.VectorAggregation) -> s.VectorAggregation:
    if query.function in _PARAMETRIC:
        if query.parameter is None:
            raise LogQLError(f"parse error : parameter required for operation {query.function}")
        if query.parameter <= 0:
            raise LogQLError(f"parse error : invalid parameter (must be greater than 0) {query.function}({query.parameter})")
    elif query.parameter is not None:
        raise LogQLError(f"parse error : unsupported parameter for operation {query.function}({query.parameter},")
    if query.function in ("sort", "sort_desc") and query.grouping is not None:
        raise LogQLError(f"parse error : grouping not allowed for {query.function} aggregation")
    return replace(query, inner=_metric(query.inner))
