"""Expressions and queries about HTTP requests that several boards draw the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from otelkit.catalog.labels import EXCEPTION_TYPE, HTTP_RESPONSE_STATUS_CODE, Label
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_QUEUE_DURATION,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
)
from otelkit.catalog.objectives import AVAILABILITY, BURN_WINDOWS, LATENCY_THRESHOLD
from otelkit.catalog.promql import RATE_INTERVAL, Expr, Matcher, matches, number, quantile, rate, ratio
from otelkit_dashboards.boards.guards import or_none
from otelkit_dashboards.panels import Query, Thresholds, Tone

SERVER_ERROR: Final = matches(HTTP_RESPONSE_STATUS_CODE, "5..")

ERROR_THRESHOLDS: Final = Thresholds(warning=AVAILABILITY.budget, critical=round(AVAILABILITY.budget * BURN_WINDOWS[0].factor, 9))
"""Warning: the budget is spent as fast as it grows. Critical: fast enough to page."""

LATENCY_THRESHOLDS: Final = Thresholds(critical=LATENCY_THRESHOLD)


def requests(where: Iterable[Matcher], *, by: Sequence[Label] = (), window: str = RATE_INTERVAL, offset: str = "") -> Expr:
    """Requests a second."""
    return rate(HTTP_SERVER_REQUEST_DURATION, by=by, where=where, window=window, offset=offset)


def error_ratio(where: Iterable[Matcher], *, by: Sequence[Label] = (), window: str = RATE_INTERVAL) -> Expr:
    """Share of requests that are answered with a 5xx; no sample where there are no requests."""
    where = tuple(where)
    return ratio(requests((*where, SERVER_ERROR), by=by, window=window), requests(where, by=by, window=window))


def by_status_class(where: Iterable[Matcher]) -> tuple[Query, ...]:
    """Requests a second, one line per class of status. A class that never occurred is a line at 0."""
    where = tuple(where)

    def answered(digit: str, tone: Tone) -> Query:
        of_class = matches(HTTP_RESPONSE_STATUS_CODE, f"{digit}..")
        expr = requests((*where, of_class)).or_else(number(0) * requests(where))
        return Query(expr, f"{digit}xx", key=f"class{digit}", tone=tone)

    return answered("2", Tone.GOOD), answered("3", Tone.NEUTRAL), answered("4", Tone.WARNING), answered("5", Tone.BAD)


def latency_quantiles(where: Iterable[Matcher]) -> tuple[Query, ...]:
    """Three quantiles of the answer time. Exemplars once: they are the same for all three."""
    where = tuple(where)
    return tuple(
        Query(quantile(q, HTTP_SERVER_REQUEST_DURATION, where=where), name, key=name, tone=tone, exemplars=name == "p99")
        for q, name, tone in ((0.5, "p50", Tone.GOOD), (0.95, "p95", Tone.WARNING), (0.99, "p99", Tone.BAD))
    )


def by_exception(where: Iterable[Matcher]) -> tuple[Query, ...]:
    """Exceptions a second by class; where none was ever raised, a line at 0 that says so."""
    where = tuple(where)
    return or_none(rate(ERRORS_CAPTURED, by=[EXCEPTION_TYPE], where=where), (EXCEPTION_TYPE,), out_of=requests(where))


def body_sizes(where: Iterable[Matcher]) -> tuple[Query, ...]:
    """The 95th percentile of both bodies, in bytes; they are opt-in, so where there are none a line at 0 says so."""
    where = tuple(where)
    known = quantile(0.95, HTTP_SERVER_RESPONSE_BODY_SIZE, where=where)
    return (
        Query(
            quantile(0.95, HTTP_SERVER_REQUEST_BODY_SIZE, where=where),
            "requests",
            key="requests",
            tone=Tone.NEUTRAL,
            may_be_empty="requests without a body have no size",
        ),
        Query(known, "responses", key="responses", tone=Tone.GOOD, may_be_empty='opt-in; the query "none" says that it is off'),
        Query(
            (number(0) * requests(where)).unless_on([], known),
            "not recorded",
            key="none",
            tone=Tone.MUTED,
            may_be_empty='sizes are recorded; the query "responses" shows them',
        ),
    )


def queue_time(where: Iterable[Matcher]) -> tuple[Query, ...]:
    """The 95th percentile of the wait in front of the service; where no proxy tells it, a line at 0 says so."""
    where = tuple(where)
    known = quantile(0.95, HTTP_SERVER_REQUEST_QUEUE_DURATION, where=where)
    return (
        Query(known, "p95", key="p95", tone=Tone.WARNING, may_be_empty='only some proxies tell it; the query "none" says so'),
        Query(
            (number(0) * requests(where)).unless_on([], known),
            "not told by the proxy",
            key="none",
            tone=Tone.MUTED,
            may_be_empty='a proxy tells it; the query "p95" shows it',
        ),
    )
