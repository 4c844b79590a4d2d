"""What a PromQL expression reads, taken from its syntax tree, and what the catalogue allows it to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser

from otelkit.catalog.labels import PROMOTED
from otelkit.catalog.metrics import ALERTS, METRICS, TARGET_INFO
from otelkit.catalog.naming import label_name, series_names
from otelkit_alerts.groups import groups
from otelkit_alerts.model import Recording
from otelkit_alerts.pace import PACES

_MEASURED = {
    name: {label_name(label) for label in (*metric.labels, *PROMOTED)} | {"le"}
    for metric in (*METRICS, TARGET_INFO, ALERTS)
    for name in series_names(metric)
}
_RECORDED = {
    rule.series.name: {label_name(label) for label in rule.series.labels}
    for pace in PACES
    for group in groups(pace)
    for rule in group.rules
    if isinstance(rule, Recording)
}
KNOWN: dict[str, set[str]] = _MEASURED | _RECORDED
"""Every series that rules and runbooks may read, with the labels it may have."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One series selector of an expression, with the labels it conditions."""

    series: str
    labels: tuple[str, ...]


def selectors(promql: str) -> tuple[Selector, ...]:
    """The selectors of an expression, in the order in which it names them. Raises ValueError where it does not parse."""
    return tuple(_found(promql_parser.parse(promql)))


def strangers(promql: str) -> list[str]:
    """What the expression reads that the catalogue does not know: series, and labels those series do not have."""
    unknown = []
    for selector in selectors(promql):
        if selector.series not in KNOWN:
            unknown.append(selector.series)
        else:
            unknown += [f"{selector.series}{{{label}}}" for label in selector.labels if label not in KNOWN[selector.series]]
    return unknown


def _found(node: Any) -> Iterator[Selector]:
    if isinstance(node, promql_parser.MatrixSelector):
        yield from _found(node.vector_selector)
    elif isinstance(node, promql_parser.VectorSelector):
        yield Selector(node.name, tuple(matcher.name for matcher in node.matchers.matchers))
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from _found(node.lhs)
        yield from _found(node.rhs)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from _found(argument)
    elif hasattr(node, "expr"):
        yield from _found(node.expr)
