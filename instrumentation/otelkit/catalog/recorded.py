"""Series that recording rules make: named once, so that the rule that writes one and whoever reads it agree.

    >>> from otelkit.catalog.promql import equals
    >>> print(read(SLO_BUDGET_REMAINING, where=[equals(SLO, "latency")]))
    service:slo_budget_remaining:ratio30d{slo="latency"}

Names follow Prometheus' ``level:metric:operations``. Readers refuse labels that the series does not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from otelkit.catalog.labels import DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_OWNER, SLO, Label
from otelkit.catalog.promql import Expr, Matcher

SERVICE = (SERVICE_NAME, DEPLOYMENT_ENVIRONMENT_NAME)
"""What makes a service one service: the same code in staging is another."""

OWNED_SERVICE = (*SERVICE, SERVICE_OWNER)
"""A service with its owner, so that an alert knows whom to tell. Compare series by ``SERVICE``: owners change while services live."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series that a recording rule makes. ``labels`` is all it has."""

    name: str
    help: str
    labels: tuple[Label, ...]


def slo_requests(window: str) -> Recorded:
    """Requests a second that an objective counts, over ``window``."""
    return Recorded(f"service:slo_requests:rate{window}", "Requests a second that the objective counts.", (*OWNED_SERVICE, SLO))


def slo_bad(window: str) -> Recorded:
    """Requests a second that break an objective, over ``window``."""
    return Recorded(f"service:slo_bad:rate{window}", "Requests a second that break the objective.", (*OWNED_SERVICE, SLO))


def slo_errors(window: str) -> Recorded:
    """Share of requests that break an objective, over ``window``: 0 for a healthy service, no sample for an idle one."""
    return Recorded(f"service:slo_errors:ratio_rate{window}", "Share of requests that break the objective.", (*OWNED_SERVICE, SLO))


SLO_OBJECTIVE = Recorded("service:slo_objective:ratio", "Share of good requests that the objective asks for.", (*OWNED_SERVICE, SLO))
SLO_BUDGET_REMAINING = Recorded(
    "service:slo_budget_remaining:ratio30d",
    "Share of the error budget that the last 30 days left; below 0 it is overdrawn.",
    (*OWNED_SERVICE, SLO),
)


def read(series: Recorded, *, where: Iterable[Matcher] = ()) -> Expr:
    """The current value, with all labels of the series."""
    return Expr(_selector(series, where))


def sum_over(series: Recorded, window: str, *, where: Iterable[Matcher] = ()) -> Expr:
    """The sum of its samples within the window: of two rates, the quotient of their sums is weighted by traffic."""
    return Expr(f"sum_over_time({_selector(series, where)}[{window}])")


def average_over(series: Recorded, window: str, *, where: Iterable[Matcher] = ()) -> Expr:
    """The mean of its samples within the window."""
    return Expr(f"avg_over_time({_selector(series, where)}[{window}])")


def _selector(series: Recorded, where: Iterable[Matcher]) -> str:
    conditions = tuple(where)
    for matcher in conditions:
        if matcher.label not in series.labels:
            has = ", ".join(sorted(label.name for label in series.labels))
            raise TypeError(f"{series.name} has no label {matcher.label.name}; it has {has}.")
    return f"{series.name}{{{', '.join(map(str, conditions))}}}" if conditions else series.name


__all__ = [
    "OWNED_SERVICE",
    "SERVICE",
    "SLO_BUDGET_REMAINING",
    "SLO_OBJECTIVE",
    "Recorded",
    "average_over",
    "read",
    "slo_bad",
    "slo_errors",
    "slo_requests",
    "sum_over",
]
