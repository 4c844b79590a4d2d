"""PromQL from metrics and labels, so that a typo is an ImportError and nonsense is a TypeError.

    >>> from otelkit.catalog.labels import HTTP_ROUTE
    >>> from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
    >>> print(quantile(0.95, HTTP_SERVER_REQUEST_DURATION, by=[HTTP_ROUTE], window="5m"))
    histogram_quantile(0.95, sum by (le, http_route) (rate(http_server_request_duration_seconds_bucket[5m])))

Each builder aggregates over every label that ``by`` does not name, and refuses labels the metric does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from otelkit.catalog.labels import PROMOTED, Label
from otelkit.catalog.metrics import Kind, Metric
from otelkit.catalog.naming import bound_text, family_name, label_name, series_name

RATE_INTERVAL = "$__rate_interval"
"""Grafana's window that always holds enough samples for a rate."""

RANGE = "$__range"
"""Grafana's window that spans the time the reader selected; for panels that show one number for all of it."""

_COUNTED = (Kind.COUNTER, Kind.HISTOGRAM)
_PRECEDENCE = {"or": 1, "and": 2, "unless": 2, ">": 3, ">=": 3, "<": 3, "<=": 3, "==": 3, "+": 4, "-": 4, "*": 5, "/": 5}
_ATOM = 9


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label, like ``http_route="/orders/{pk}"``."""

    label: Label
    operator: str
    value: str

    @property
    def condition(self) -> str:
        """Operator and quoted value, which PromQL, LogQL and TraceQL write alike."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.operator}"{value}"'

    def __str__(self) -> str:
        return label_name(self.label) + self.condition


def equals(label: Label, value: str) -> Matcher:
    """The label has this value. Raises ValueError where the label's closed set does not hold it."""
    if label.values and value not in label.values:
        raise ValueError(f"{label.name} is never {value!r}; it is one of {', '.join(label.values)}.")
    return Matcher(label, "=", value)


def differs(label: Label, value: str) -> Matcher:
    """The label has another value, or is absent."""
    return Matcher(label, "!=", value)


def matches(label: Label, pattern: str) -> Matcher:
    """The whole value of the label matches this RE2 pattern (Prometheus anchors it)."""
    return Matcher(label, "=~", pattern)


def absent_or_differs(label: Label, pattern: str) -> Matcher:
    """The whole value of the label does not match this RE2 pattern."""
    return Matcher(label, "!~", pattern)


@dataclass(frozen=True, slots=True)
class Expr:
    """A PromQL expression. Python's operators build larger ones, with parentheses where precedence asks for them."""

    text: str
    precedence: int = _ATOM

    def __str__(self) -> str:
        return self.text

    def _combine(self, operator: str, other: Expr | float, modifier: str = "") -> Expr:
        right = other if isinstance(other, Expr) else number(other)
        mine = _PRECEDENCE[operator]
        left_text = self.text if self.precedence >= mine else f"({self.text})"
        # Strictly greater on the right: PromQL's operators associate to the left.
        right_text = right.text if right.precedence > mine else f"({right.text})"
        return Expr(f"{left_text} {operator} {modifier}{right_text}", mine)

    def __add__(self, other: Expr | float) -> Expr:
        return self._combine("+", other)

    def __sub__(self, other: Expr | float) -> Expr:
        return self._combine("-", other)

    def __rsub__(self, other: float) -> Expr:
        return number(other)._combine("-", self)

    def __mul__(self, other: Expr | float) -> Expr:
        return self._combine("*", other)

    def __rmul__(self, other: float) -> Expr:
        return number(other)._combine("*", self)

    def __truediv__(self, other: Expr | float) -> Expr:
        return self._combine("/", other)

    def __gt__(self, other: Expr | float) -> Expr:
        return self._combine(">", other)

    def __lt__(self, other: Expr | float) -> Expr:
        return self._combine("<", other)

    def and_on(self, labels: Sequence[Label], other: Expr) -> Expr:
        """The samples of this expression for which ``other`` has one with the same ``labels``."""
        return self._combine("and", other, f"on ({_names(labels)}) ")

    def unless_on(self, labels: Sequence[Label], other: Expr) -> Expr:
        """The samples of this expression for which ``other`` has none with the same ``labels``."""
        return self._combine("unless", other, f"on ({_names(labels)}) ")

    def or_else(self, other: Expr) -> Expr:
        """This expression, and those samples of ``other`` whose labels it lacks."""
        return self._combine("or", other)


def number(value: float) -> Expr:
    """A literal, without exponents or needless digits."""
    return Expr(f"{value:.10f}".rstrip("0").rstrip(".") if value % 1 else str(int(value)))


def rate(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = RATE_INTERVAL, offset: str = "") -> Expr:
    """Events a second. A histogram counts its observations. Raises TypeError for a gauge."""
    _require(metric, "rate", _COUNTED, "Use total() or maximum() for it")
    return _aggregate("sum", by, f"rate({_selector(metric, series_name(metric), where, by)}[{window}]{_offset(offset)})")


def increase(
    metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = RATE_INTERVAL, offset: str = ""
) -> Expr:
    """Events within the window. Raises TypeError for a gauge."""
    _require(metric, "increase", _COUNTED, "Use total() or maximum() for it")
    return _aggregate("sum", by, f"increase({_selector(metric, series_name(metric), where, by)}[{window}]{_offset(offset)})")


def total(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = ()) -> Expr:
    """The sum of the current values. Raises TypeError for a counter or histogram, whose current value means nothing."""
    _require(metric, "total", (Kind.GAUGE, Kind.UP_DOWN_COUNTER, Kind.INFO), "Use rate() for it")
    return _aggregate("sum", by, _selector(metric, series_name(metric), where, by))


def accumulated(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = ()) -> Expr:
    """What a counter holds since its processes started. Only for balances between counters that restart together.

    Raises TypeError unless a counter: everything else that wants a counter wants its rate.
    """
    _require(metric, "accumulated", (Kind.COUNTER,), "Use total() for it" if metric.kind not in _COUNTED else "Use rate() for it")
    return _aggregate("sum", by, _selector(metric, series_name(metric), where, by))


def minimum(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = ()) -> Expr:
    """The smallest of the current values. Raises TypeError for a counter or histogram."""
    _require(metric, "minimum", (Kind.GAUGE, Kind.UP_DOWN_COUNTER, Kind.INFO), "Use rate() or quantile() for it")
    return _aggregate("min", by, _selector(metric, series_name(metric), where, by))


def maximum(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = "") -> Expr:
    """The largest of the current values, or of those within the ``window``. Raises TypeError for a counter or histogram."""
    _require(metric, "maximum", (Kind.GAUGE, Kind.UP_DOWN_COUNTER, Kind.INFO), "Use rate() or quantile() for it")
    selector = _selector(metric, series_name(metric), where, by)
    return _aggregate("max", by, f"max_over_time({selector}[{window}])" if window else selector)


def present(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = "", offset: str = "") -> Expr:
    """1 for each label set that has a series, whatever its value.

    Without a ``window`` Prometheus looks five minutes back; with one, a series counts while it has a sample within it.
    """
    selector = _selector(metric, series_name(metric), where, by)
    return _aggregate("group", by, f"present_over_time({selector}[{window}]{_offset(offset)})" if window else selector + _offset(offset))


def count(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = ()) -> Expr:
    """The number of series."""
    return _aggregate("count", by, _selector(metric, series_name(metric), where, by))


def newest(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = "") -> Expr:
    """Unix time in seconds of the newest sample.

    Without a ``window`` Prometheus looks five minutes back; with one, series that ended within it are still seen.
    """
    stamp = f"timestamp({_selector(metric, series_name(metric), where, by)})"
    exact = _aggregate("max", by, stamp)
    # The window is read minute by minute, so what still lives is asked first, to the second.
    return exact.or_else(_aggregate("max", by, f"max_over_time({stamp}[{window}:1m])")) if window else exact


def lowest(samples: Expr) -> Expr:
    """The smallest sample of an expression."""
    return Expr(f"min({samples})")


def highest(samples: Expr, by: Sequence[Label]) -> Expr:
    """The largest sample for each set of labels."""
    return _aggregate("max", by, str(samples))


def average(samples: Expr, by: Sequence[Label]) -> Expr:
    """The average of the samples for each set of labels."""
    return _aggregate("avg", by, str(samples))


def farthest_from_zero(samples: Expr) -> Expr:
    """The largest sample of an expression, signs aside."""
    return Expr(f"max(abs({samples}))")


def now() -> Expr:
    """Unix time in seconds for which the expression is evaluated."""
    return Expr("time()")


def always(value: float = 1) -> Expr:
    """One sample without labels, whatever was measured."""
    return Expr(f"vector({number(value)})")


def quantile(q: float, metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = RATE_INTERVAL) -> Expr:
    """The value that a share ``q`` of the observations stays below, in the metric's unit. Raises TypeError unless a histogram."""
    _require(metric, "quantile", (Kind.HISTOGRAM,), "Use maximum() for it" if metric.kind not in _COUNTED else "Use rate() for it")
    if not 0 <= q <= 1:
        raise ValueError(f"quantile() takes a share between 0 and 1; it is {q}.")
    bucket = _selector(metric, family_name(metric) + "_bucket", where, by)
    names = ", ".join(["le", *(label_name(label) for label in by)])
    return Expr(f"histogram_quantile({q}, sum by ({names}) (rate({bucket}[{window}])))")


def buckets(metric: Metric, *, where: Iterable[Matcher] = (), window: str = RATE_INTERVAL) -> Expr:
    """Observations a second per bucket, for heatmaps. Raises TypeError unless a histogram."""
    _require(metric, "buckets", (Kind.HISTOGRAM,), "Use rate() for it")
    return Expr(f"sum by (le) (rate({_selector(metric, family_name(metric) + '_bucket', where, ())}[{window}]))")


def mean(metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = RATE_INTERVAL) -> Expr:
    """The average observation. Raises TypeError unless a histogram."""
    _require(metric, "mean", (Kind.HISTOGRAM,), "Use rate() or total() for it")
    where = tuple(where)
    sums = _aggregate("sum", by, f"rate({_selector(metric, family_name(metric) + '_sum', where, by)}[{window}])")
    return sums / (rate(metric, by=by, where=where, window=window) > 0)


def within(bound: float, metric: Metric, *, by: Sequence[Label] = (), where: Iterable[Matcher] = (), window: str = RATE_INTERVAL) -> Expr:
    """Observations a second that are at most ``bound``. Raises ValueError unless ``bound`` is one of the metric's buckets.

    A whole number is refused: OTLP writes ``le="1"`` and a scrape ``le="1.0"``, so one of the two roads would show nothing.
    """
    _require(metric, "within", (Kind.HISTOGRAM,), "Use rate() for it")
    if bound not in metric.buckets:
        raise ValueError(f"{metric.name} has no bucket {bound}; it has {', '.join(map(bound_text, metric.buckets))}.")
    if bound == int(bound):
        raise ValueError(f"{metric.name}: a whole bound ({bound:g}) is spelled differently over OTLP and by scrape; take another bucket.")
    matcher = f'le="{bound_text(bound)}"'
    return _aggregate("sum", by, f"rate({_selector(metric, family_name(metric) + '_bucket', where, by, extra=matcher)}[{window}])")


def ratio(part: Expr, whole: Expr) -> Expr:
    """``part`` of ``whole``: 0 where the part has no series, and no sample where the whole is 0, so never NaN.

    Both must be aggregated by the same labels.
    """
    return part.or_else(number(0) * whole) / (whole > 0)


def _aggregate(function: str, by: Sequence[Label], inner: str) -> Expr:
    return Expr(f"{function} by ({_names(by)}) ({inner})" if by else f"{function}({inner})")


def _names(labels: Sequence[Label]) -> str:
    return ", ".join(label_name(label) for label in labels)


def _offset(offset: str) -> str:
    return f" offset {offset}" if offset else ""


def _selector(metric: Metric, name: str, where: Iterable[Matcher], by: Sequence[Label], extra: str = "") -> str:
    where = tuple(where)
    known = {*metric.labels, *PROMOTED}
    for label in (*by, *(matcher.label for matcher in where)):
        if label not in known:
            has = ", ".join(sorted(label.name for label in metric.labels)) or "only those of the resource"
            raise TypeError(f"{metric.name} has no label {label.name}; it has {has}.")
    conditions = ", ".join([*map(str, where), *([extra] if extra else [])])
    return f"{name}{{{conditions}}}" if conditions else name


def _require(metric: Metric, function: str, kinds: tuple[Kind, ...], instead: str) -> None:
    if metric.kind not in kinds:
        wanted = " or ".join(kind.value.replace("_", " ") for kind in kinds)
        raise TypeError(f"{function}() needs a {wanted}, but {metric.name} is a {metric.kind.value.replace('_', ' ')}. {instead}.")


__all__ = [
    "RANGE",
    "RATE_INTERVAL",
    "Expr",
    "Matcher",
    "absent_or_differs",
    "accumulated",
    "always",
    "buckets",
    "count",
    "differs",
    "equals",
    "farthest_from_zero",
    "increase",
    "lowest",
    "matches",
    "maximum",
    "mean",
    "minimum",
    "newest",
    "now",
    "number",
    "present",
    "quantile",
    "rate",
    "ratio",
    "total",
    "within",
]
