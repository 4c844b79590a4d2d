"""What a PromQL expression uses: its series, labels, functions and windows, read from the parsed expression.

Grafana's variables inside quotes are text to PromQL; only those that stand for a window need a stand-in to parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import promql_parser as ast

from otelkit.catalog.metrics import ALERTS, METRICS, TARGET_INFO, Metric
from otelkit.catalog.naming import series_names
from otelkit.catalog.promql import RANGE, RATE_INTERVAL

STAND_INS: Final = {RATE_INTERVAL: timedelta(milliseconds=60_001), RANGE: timedelta(milliseconds=3_600_001)}
"""Windows that nobody would write, so that they can be told from written ones after parsing."""

SERIES: Final = {name: metric for metric in (*METRICS, TARGET_INFO, ALERTS) for name in series_names(metric)}
"""Every series name that boards may read, and the metric it belongs to."""

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Condition:
    """One label matcher of a selector."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series that an expression reads. ``function`` is the call or aggregation right around it, ``window`` the range it asks for."""

    series: str
    conditions: tuple[Condition, ...]
    function: str
    window: timedelta | None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Labels that an aggregation or a match names, and the series they must exist on."""

    labels: tuple[str, ...]
    series: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that an expression uses."""

    selectors: tuple[Selector, ...]
    groupings: tuple[Grouping, ...]


def read(expr: str) -> Reading:
    """Parses the expression. Raises ValueError with the parser's words where it is no PromQL."""
    text = expr
    for variable, window in STAND_INS.items():
        text = text.replace(variable, ast.display_duration(window))
    selectors: list[Selector] = []
    groupings: list[Grouping] = []
    _visit(ast.parse(text), "", selectors, groupings)
    return Reading(tuple(selectors), tuple(groupings))


def metrics_in(expr: str) -> Iterator[Metric]:
    """The metrics of the catalogue that the expression names, each once, in its order. Nothing is parsed, so nothing is raised."""
    yield from dict.fromkeys(SERIES[word] for word in _WORD.findall(expr) if word in SERIES)


def _visit(node: object, function: str, selectors: list[Selector], groupings: list[Grouping]) -> frozenset[str]:
    """Collects what the node uses; answers the series beneath it."""
    match node:
        case ast.VectorSelector():
            return _select(node, function, None, selectors)
        case ast.MatrixSelector():
            return _select(node.vector_selector, function, node.range, selectors)
        case ast.Call():
            below = [_visit(argument, node.func.name, selectors, groupings) for argument in node.args]
            return frozenset().union(*below)
        case ast.AggregateExpr():
            series = _visit(node.expr, str(node.op), selectors, groupings)
            if node.modifier:
                groupings.append(Grouping(tuple(node.modifier.labels), series))
            return series
        case ast.BinaryExpr():
            series = _visit(node.lhs, "", selectors, groupings) | _visit(node.rhs, "", selectors, groupings)
            if node.modifier and node.modifier.matching:
                groupings.append(Grouping(tuple(node.modifier.matching.labels), series))
            return series
        case ast.SubqueryExpr() | ast.ParenExpr() | ast.UnaryExpr():
            return _visit(node.expr, function, selectors, groupings)
        case _:
            return frozenset()


def _select(node: ast.VectorSelector, function: str, window: timedelta | None, selectors: list[Selector]) -> frozenset[str]:
    conditions = tuple(Condition(matcher.name, _operator(matcher.op), matcher.value) for matcher in node.matchers.matchers)
    name = node.name or ""
    selectors.append(Selector(name, conditions, function, window))
    return frozenset({name})


def _operator(op: ast.MatchOp) -> str:
    # Compared one by one: the parser's operators are no enum in truth and have no hash.
    signs = ((ast.MatchOp.Equal, "="), (ast.MatchOp.NotEqual, "!="), (ast.MatchOp.Re, "=~"), (ast.MatchOp.NotRe, "!~"))
    return next(sign for known, sign in signs if known == op)
