"""Queries that a seed makes up, over the series of :mod:`tests.stack.promql.random_series`.

The first ones use each function, aggregation, operator and modifier on purpose; the rest combine them freely.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otelkit_stack.promql.aggregations import AGGREGATIONS
from otelkit_stack.promql.operators import ARITHMETIC, COMPARISON
from otelkit_stack.promql.signatures import SIGNATURES, Signature
from tests.stack.promql.random_series import END, START

ROUGH = frozenset("exp ln log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh".split())  # noqa: SIM905  (as one reads them)
"""Functions whose last digits differ between Go's mathematics and C's."""
_SENSITIVE = frozenset("ceil floor round sgn days_in_month day_of_month day_of_week day_of_year hour minute month year".split())  # noqa: SIM905
"""Functions that turn a difference in the last digit into a large one, so nothing rough goes into them."""
_SET_OPERATORS = ("and", "or", "unless")
_COUNTERS = ("requests_total", "latency_seconds_count")
_SELECTORS = (
    "requests_total",
    'requests_total{code="200"}',
    'requests_total{code=~"4..|5..",service!="cart"}',
    'requests_total{instance!~"a|b"}',
    '{__name__=~"temperature|limit"}',
    'temperature{service=~".*r.*"}',
    "temperature",
    "queue_length",
    "limit",
    "latency_seconds_bucket",
    "process_up",
    "owner",
    "odd",
    "huge",
    "steady",
    "once",
    "clock",
    "nothing",
    'nothing{service="cart",team=~"x"}',
)


@dataclass(frozen=True, slots=True)
class Question:
    """A query and its times, in milliseconds; a step of 0 means an instant query."""

    query: str
    start_ms: int
    end_ms: int
    step_ms: int


def made_up(seed: int, count: int) -> list[Question]:
    """So many questions."""
    writer = _Writer(random.Random(seed))
    queries = list(writer.on_purpose())
    queries.extend(writer.anything() for _ in range(count - len(queries)))
    return [writer.question(query) for query in queries[:count]]


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def question(self, query: str) -> Question:
        chance = self._chance
        start = START + chance.randint(-300_000, END - START + 200_000)
        if chance.random() < 0.4 or self._is_range(query):
            return Question(query, start, start, 0)
        step = chance.choice((1_000, 7_500, 15_000, 30_000, 61_000, 300_000))
        return Question(query, start, start + step * chance.randint(0, 60) + chance.choice((0, step // 2)), step)

    def on_purpose(self) -> Iterator[str]:
        for signature in SIGNATURES.values():
            if not signature.is_experimental:
                yield from (self._call(signature, 1) for _ in range(3))
        for operator in AGGREGATIONS:
            yield from (self._aggregated(operator, 1) for _ in range(4))
        for operator in ("topk", "bottomk", "quantile", "count_values"):
            yield from (self._aggregated(operator, 0) for _ in range(5))
        for operator in (*ARITHMETIC, *COMPARISON, *_SET_OPERATORS):
            yield from (self._binary(operator) for _ in range(3))
        for modifier in (self._offset, self._at):
            yield from (self._selector() + modifier() for _ in range(5))
        yield from (self._range() for _ in range(6))
        yield from (
            "1 + 2 * 3 ^ 2",
            "-temperature",
            "+temperature",
            "-(1)",
            '"text"',
            "`raw`",
            "1 > bool 2",
            "vector(1) </ 2",
            "temperature >/ limit",
        )

    def anything(self) -> str:
        return self._vector(self._chance.randint(1, 3))

    def _is_range(self, query: str) -> bool:
        return query.startswith(('"', "`")) or (query.endswith("]") and not query.startswith("("))

    def _pick(self, *choices: Callable[[], str]) -> str:
        return self._chance.choice(choices)()

    def _vector(self, depth: int, *, smooth: bool = False) -> str:
        if depth <= 0:
            return self._selector() + self._pick(str, str, str, self._offset, self._at)
        return self._pick(
            lambda: self._call(self._function(smooth=smooth), depth),
            lambda: self._aggregated(self._chance.choice((*AGGREGATIONS, "topk", "bottomk", "quantile", "count_values")), depth),
            lambda: self._binary(None, depth, smooth=smooth),
            lambda: f"({self._vector(depth - 1, smooth=smooth)})",
            lambda: f"-{self._vector(depth - 1, smooth=smooth)}",
        )

    def _function(self, *, smooth: bool) -> Signature:
        names = [
            name
            for name, signature in SIGNATURES.items()
            if not signature.is_experimental and signature.gives == "vector" and not (smooth and name in ROUGH)
        ]
        return SIGNATURES[self._chance.choice(names)]

    def _selector(self) -> str:
        return self._chance.choice(_SELECTORS)

    def _counter(self) -> str:
        return self._chance.choice(_COUNTERS) if self._chance.random() < 0.7 else self._selector()

    def _offset(self) -> str:
        return " offset " + self._chance.choice(("1m", "5m", "-2m", "7s", "-30m", "0s", "(1m * 2)", "-(30s + 1m)", "1d"))

    def _at(self) -> str:
        moment = self._chance.choice((str(START // 1000 + 1000), str(START // 1000 + 2000.5), "start()", "end()", "-1", "0"))
        return f" @ {moment}" + self._pick(str, self._offset)

    def _length(self) -> str:
        return self._chance.choice(("1m", "2m30s", "5m", "10m", "15s", "1h", "47s", "2m + 30s", "90", "1ms"))

    def _range(self, *, is_plain: bool = False) -> str:
        """A range; ``is_plain`` where a subquery would not do."""
        modifier = self._pick(str, str, str, self._offset, self._at)
        if is_plain or self._chance.random() < 0.7:
            return f"{self._counter()}[{self._length()}]{modifier}"
        step = self._chance.choice(("", "15s", "30s", "1m", "7s"))
        inner = self._pick(self._counter, lambda: self._vector(1, smooth=True))
        return f"{inner}[{self._chance.choice(('2m', '5m', '11m'))}:{step}]{modifier}"

    def _scalar(self, *, small: bool = False) -> str:
        numbers = ("0.5", "0.9", "0", "1", "2", "3", "1.5") if small else ("2", "0.1", "-3", "100", "1e3", "Inf", "NaN", "0x10")
        return self._pick(
            lambda: self._chance.choice(numbers),
            lambda: self._chance.choice(numbers),
            lambda: self._chance.choice(numbers),
            lambda: 'scalar(limit{service="cart",instance="a"})' + ("/ 20" if small else ""),
            lambda: "time()" if not small else f"({self._chance.choice(numbers)} - 0.25)",
        )

    def _call(self, signature: Signature, depth: int) -> str:
        name = signature.name
        smooth = name in _SENSITIVE or name in ROUGH
        match name:
            case "label_replace":
                changed = self._chance.choice(
                    ('"x", "$1", "service", "(.).*"', '"service", "", "", ""', '"__name__", "n_$1", "instance", "(.+)"')
                )
                return f"label_replace({self._vector(depth - 1)}, {changed})"
            case "label_join":
                return f'label_join({self._vector(depth - 1)}, "{self._chance.choice(("x", "instance"))}", "-", "service", "code")'
            case "histogram_quantile":
                return f"histogram_quantile({self._chance.choice(('0.5', '0.95', '0', '1', '-1', '2', 'NaN', '0.25'))}, {self._buckets()})"
            case "histogram_fraction":
                lower, upper = self._chance.choice(
                    (("0", "0.3"), ("0.3", "0.7"), ("-Inf", "+Inf"), ("0.5", "0.2"), ("NaN", "1"), ("0", "9"))
                )
                return f"histogram_fraction({lower}, {upper}, {self._buckets()})"
            case "pi" | "time":
                return f"vector({name}())"
            case "timestamp":
                # Without @: there Prometheus forgets the selector's offset.
                return f"timestamp({self._selector()}{self._pick(str, self._offset)})"
            case "scalar":
                return f"vector(scalar({self._vector(depth - 1)}))"
            # In these two Prometheus 3.14 mistakes a subquery with @ for something else.
            case "quantile_over_time":
                return f"quantile_over_time({self._scalar(small=True)}, {self._range(is_plain=True)})"
            case "predict_linear":
                return f"predict_linear({self._range(is_plain=True)}, {self._chance.choice(('60', '3600', '-100', '0'))})"
        if signature.takes == ("matrix",):
            return f"{name}({self._range()})"
        arguments = [
            self._vector(depth - 1, smooth=smooth) if kind == "vector" else self._scalar(small=name == "round") for kind in signature.takes
        ]
        if signature.optional and self._chance.random() < 0.3:
            arguments.pop()
        return f"{name}({', '.join(arguments)})"

    def _buckets(self) -> str:
        return self._pick(
            lambda: "latency_seconds_bucket",
            lambda: f"rate(latency_seconds_bucket[{self._chance.choice(('1m', '5m'))}])",
            lambda: f"sum by (le{self._chance.choice(('', ', service'))}) (rate(latency_seconds_bucket[5m]))",
            lambda: "sum without (instance) (latency_seconds_bucket)",
        )

    def _grouping(self) -> str:
        return self._chance.choice(
            ("", "", "by (service)", "by (service, code)", "without (instance)", "by ()", "without ()", "by (__name__)")
        )

    def _aggregated(self, operator: str, depth: int) -> str:
        if operator in ("topk", "bottomk", "stddev", "stdvar"):
            # Which of equal values stay, and how much of a small variance, depends on the order of the series, which in
            # Prometheus is random behind most functions.
            vector = self._pick(
                self._selector, lambda: f"{self._chance.choice(('rate', 'sum_over_time', 'resets'))}({self._range(is_plain=True)})"
            )
        else:
            vector = self._vector(depth - 1, smooth=operator == "count_values")
        parameter = {
            "topk": self._chance.choice(("1", "2", "5", "0", "-1", "100", "NaN", "1e30", "2.7")),
            "bottomk": self._chance.choice(("1", "3", "scalar(limit)")),
            "quantile": self._chance.choice(("0.5", "0.9", "0", "1", "-0.5", "1.5", "NaN")),
            "count_values": '"value"',
        }.get(operator)
        arguments = vector if parameter is None else f"{parameter}, {vector}"
        grouping = self._grouping()
        return self._pick(lambda: f"{operator} {grouping} ({arguments})", lambda: f"{operator}({arguments}) {grouping}")

    def _binary(self, operator: str | None, depth: int = 1, *, smooth: bool = False) -> str:
        operator = operator or self._chance.choice((*ARITHMETIC, *COMPARISON, *_SET_OPERATORS))
        if smooth and operator in ("^", "atan2"):
            operator = "+"
        smooth = smooth or operator in COMPARISON or operator in ("%", "/")
        is_set = operator in _SET_OPERATORS
        flag = " bool" if operator in COMPARISON and self._chance.random() < 0.4 else ""
        if not is_set and self._chance.random() < 0.3:
            sides = [self._vector(depth - 1, smooth=smooth), self._scalar()]
            self._chance.shuffle(sides)
            return f"({sides[0]} {operator}{flag} {sides[1]})"
        left, right, matching = self._pair(depth, smooth=smooth, is_set=is_set)
        return f"({left} {operator}{flag} {matching} {right})"

    def _pair(self, depth: int, *, smooth: bool, is_set: bool) -> tuple[str, str, str]:
        """Two sides and how they match: mostly such that they do."""
        if is_set:
            matching = self._chance.choice(("", "", "on (service)", "ignoring (code)", "on ()"))
            return self._vector(depth - 1, smooth=smooth), self._vector(depth - 1, smooth=smooth), matching
        return self._chance.choice(
            (
                ("temperature", "limit", ""),
                ("queue_length", "limit", "on (service, instance)"),
                ("requests_total", "limit", "on (service, instance) group_left"),
                ("requests_total", "temperature", "ignoring (code) group_left ()"),
                ("owner", "limit", "on (service) group_right (team)"),
                ("sum by (service) (requests_total)", "owner", "on (service) group_left (team)"),
                ("process_up", "owner", "on (service) group_left (team)"),
                ("owner", "process_up", "on (service)"),
                ("owner", "process_up", "on (service) group_left (pod)"),
                ("rate(requests_total[5m])", "sum without (code) (rate(requests_total[5m]))", "ignoring (code) group_left"),
                ("requests_total", "requests_total", ""),
                ("requests_total", "temperature", "on (service)"),
                ("temperature", "temperature", "on (service) group_left"),
                (self._vector(depth - 1, smooth=smooth), self._vector(depth - 1, smooth=smooth), ""),
                (self._vector(depth - 1, smooth=smooth), self._vector(depth - 1, smooth=smooth), "ignoring (instance)"),
            )
        )
