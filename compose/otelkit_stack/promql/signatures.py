"""The functions of PromQL: what each takes and gives, as of Prometheus 3.14."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ValueType = Literal["scalar", "vector", "matrix", "string"]

ANY_NUMBER = -1


@dataclass(frozen=True, slots=True)
class Signature:
    """Types of a function's arguments and of its result."""

    name: str
    takes: tuple[ValueType, ...]
    gives: ValueType = "vector"
    optional: int = 0
    """How many arguments may be given beyond ``len(takes) - 1``, the last type holding for each; 0 where all of ``takes`` must be."""
    is_experimental: bool = False


def _vector_functions(names: str) -> list[Signature]:
    return [Signature(name, ("vector",)) for name in names.split()]


def _range_functions(names: str) -> list[Signature]:
    return [Signature(name, ("matrix",)) for name in names.split()]


_CALENDAR = ("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year")
_STABLE = [
    *_vector_functions("abs ceil exp floor ln log10 log2 sgn sqrt deg rad sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"),
    *_vector_functions("absent sort sort_desc timestamp"),
    *_vector_functions("histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar"),
    *_range_functions("rate increase delta irate idelta deriv changes resets"),
    *_range_functions("avg_over_time count_over_time first_over_time last_over_time max_over_time min_over_time"),
    *_range_functions("present_over_time absent_over_time stddev_over_time stdvar_over_time sum_over_time"),
    *(Signature(name, ("vector",), optional=1) for name in _CALENDAR),
    Signature("clamp", ("vector", "scalar", "scalar")),
    Signature("clamp_max", ("vector", "scalar")),
    Signature("clamp_min", ("vector", "scalar")),
    Signature("round", ("vector", "scalar"), optional=1),
    Signature("histogram_fraction", ("scalar", "scalar", "vector")),
    Signature("histogram_quantile", ("scalar", "vector")),
    Signature("label_join", ("vector", "string", "string", "string"), optional=ANY_NUMBER),
    Signature("label_replace", ("vector", "string", "string", "string", "string")),
    Signature("pi", (), "scalar"),
    Signature("predict_linear", ("matrix", "scalar")),
    Signature("quantile_over_time", ("scalar", "matrix")),
    Signature("scalar", ("vector",), "scalar"),
    Signature("time", (), "scalar"),
    Signature("vector", ("scalar",)),
]
_EXPERIMENTAL = (
    "double_exponential_smoothing end histogram_quantiles info mad_over_time max_of min_of range sort_by_label sort_by_label_desc start"
    " start_timestamp step ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"
)
SIGNATURES = {signature.name: signature for signature in _STABLE} | {
    # Their types are never looked at: Prometheus refuses them unless it is started with a feature flag, and so do we.
    name: Signature(name, (), is_experimental=True)
    for name in _EXPERIMENTAL.split()
}
EXPERIMENTAL_AGGREGATORS = frozenset(("limitk", "limit_ratio"))
PARAMETER_TYPES: dict[str, ValueType] = {
    "topk": "scalar",
    "bottomk": "scalar",
    "quantile": "scalar",
    "count_values": "string",
    "limitk": "scalar",
    "limit_ratio": "scalar",
}
"""Aggregators that take a parameter before the vector, and its type."""
DEPENDS_ON_EVALUATION_TIME = frozenset((*_CALENDAR, "predict_linear", "time", "timestamp"))
"""Functions whose result moves with the time of evaluation even where their arguments are fixed by ``@``."""
