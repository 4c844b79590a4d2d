"""Panels of failures that may have none: a line at 0 that says "none" is news, an empty panel is a question."""

from __future__ import annotations

from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import TARGET_INFO
from otelkit.catalog.promql import Expr, count, number
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.panels import Query, Tone


def or_none(failures: Expr, legend: tuple[Label, ...], *, out_of: Expr) -> tuple[Query, Query]:
    """The failures by ``legend``; where there is no series of them at all, a line "none" as long as ``out_of`` has samples."""
    none = (number(0) * out_of).unless_on([], failures)
    return (
        Query(failures, legend, key="found", may_be_empty='nothing failed; the query "none" says so'),
        Query(none, "none", key="none", tone=Tone.MUTED, may_be_empty='something failed; the query "found" shows it'),
    )


def where_used(series: Expr, legend: tuple[Label, ...]) -> tuple[Query, Query]:
    """What a pattern records; where no chosen service uses it, a line "none" as long as they report at all."""
    none = (number(0) * count(TARGET_INFO, where=CHOSEN)).unless_on([], series)
    return (
        Query(series, legend, key="found", may_be_empty='no service uses this pattern; the query "none" says so'),
        Query(none, "none", key="none", tone=Tone.MUTED, may_be_empty='a service uses it; the query "found" shows it'),
    )


def or_zero(series: Expr) -> Expr:
    """A number of something that may not exist: 0 then, as long as the chosen services report at all."""
    return series.or_else(number(0) * count(TARGET_INFO, where=CHOSEN))
