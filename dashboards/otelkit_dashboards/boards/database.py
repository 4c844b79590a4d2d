"""Database: queries by route, statement and line, from how many to how slow, and the pool they wait for."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import DATABASE, ENDPOINT, SERVICE_OVERVIEW
from otelkit.catalog.labels import (
    DB_CLIENT_CONNECTION_POOL_NAME,
    DB_CLIENT_CONNECTION_STATE,
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_QUERY_REPEATED_CALLER,
    DB_QUERY_SUMMARY,
    ERROR_TYPE,
    HTTP_ROUTE,
    SERVICE_NAME,
)
from otelkit.catalog.metrics import (
    DB_CLIENT_CONNECTION_COUNT,
    DB_CLIENT_CONNECTION_MAX,
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
    DB_CLIENT_OPERATION_DURATION,
    DJANGO_MIGRATIONS_UNAPPLIED,
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_N_PLUS_ONE,
    DJANGO_REQUEST_DB_QUERIES,
)
from otelkit.catalog.promql import RANGE, Expr, differs, increase, maximum, mean, number, quantile, rate, ratio, total
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.dependencies import NO_QUERIES
from otelkit_dashboards.boards.guards import or_none
from otelkit_dashboards.boards.requests import ERROR_THRESHOLDS
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Column, Exemption, Query, Stat, Table, Thresholds, TimeSeries, Tone, Unit, to

NO_COUNTS: Final = "No request made a query in this time range."

_ROUTE = [SERVICE_NAME, HTTP_ROUTE]
_STATEMENT = [DB_OPERATION_NAME, DB_COLLECTION_NAME]
_POOL = [SERVICE_NAME, DB_CLIENT_CONNECTION_POOL_NAME]
_FAILED = (*CHOSEN, differs(ERROR_TYPE, ""))
_QUERIES = rate(DB_CLIENT_OPERATION_DURATION, where=CHOSEN)
_NO_POOL = 'the service uses no pool; the query "none" says so'


def _of_pools(found: Expr, legend: str, key: str, tone: Tone | None = None) -> Query:
    return Query(found, legend, key=key, tone=tone, may_be_empty=_NO_POOL)


SUMMARY = Row(
    "summary",
    "The database now",
    (
        Stat(
            key="error-ratio",
            title="Failed queries",
            help="Share of the queries within the time range that failed.",
            act="Look at the errors by type below, then at a failed span: it carries the database's own code.",
            missing=NO_QUERIES,
            unit=Unit.SHARE,
            thresholds=ERROR_THRESHOLDS,
            queries=(
                Query(
                    ratio(
                        rate(DB_CLIENT_OPERATION_DURATION, where=_FAILED, window=RANGE).or_else(
                            number(0) * rate(DB_CLIENT_OPERATION_DURATION, where=CHOSEN, window=RANGE)
                        ),
                        rate(DB_CLIENT_OPERATION_DURATION, where=CHOSEN, window=RANGE),
                    ),
                    instant=True,
                ),
            ),
        ),
        Stat(
            key="rate",
            title="Queries",
            help="Queries a second now.",
            act="More without more requests: a route began to repeat queries, see the table of N+1 below.",
            missing=NO_QUERIES,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=(Query(_QUERIES),),
        ),
        Stat(
            key="p95",
            title="Query time, p95",
            help="Time within which 95 of 100 queries are answered now.",
            act="Find the statement it belongs to in the graph of the slowest statements.",
            missing=NO_QUERIES,
            unit=Unit.SECONDS,
            queries=(Query(quantile(0.95, DB_CLIENT_OPERATION_DURATION, where=CHOSEN)),),
        ),
        Stat(
            key="queries",
            title="Queries a request",
            help="Database queries that one request makes on average now; requests without any are left out.",
            act="Dozens: see which route in the table below, and fetch related rows together.",
            missing=NO_COUNTS,
            unit=Unit.COUNT,
            queries=(Query(mean(DJANGO_REQUEST_DB_QUERIES, where=CHOSEN)),),
        ),
        Stat(
            key="migrations",
            title="Unapplied migrations",
            help="Migrations that the running code has and its database has not, of the service that has most.",
            act="Any for longer than a deploy: run migrate. Until then queries may fail on columns and tables that are not there.",
            missing="No answer yet: workers ask 20 s after they started, and not at all while the database does not answer.",
            unit=Unit.COUNT,
            thresholds=Thresholds(warning=1),
            exemptions=(Exemption("threshold-is-objective", "Code and database differ or do not; no objective says how much."),),
            queries=(Query(maximum(DJANGO_MIGRATIONS_UNAPPLIED, where=CHOSEN)),),
        ),
    ),
)

REQUESTS = Row(
    "requests",
    "What requests ask",
    (
        Table(
            key="routes",
            title="Routes by queries a request",
            help="Every route that made queries in the time range: queries of one request on average, and how many of them repeat.",
            act="Repeats close to the queries are an N+1: the table beside names the line.",
            missing=NO_COUNTS,
            width=12,
            height=9,
            by=((SERVICE_NAME, "Service"), (HTTP_ROUTE, "Route")),
            columns=(
                Column("queries", "Queries a request", mean(DJANGO_REQUEST_DB_QUERIES, by=_ROUTE, where=CHOSEN, window=RANGE), Unit.COUNT),
                Column(
                    "duplicates",
                    "Repeated queries a request",
                    mean(DJANGO_REQUEST_DB_DUPLICATES, by=_ROUTE, where=CHOSEN, window=RANGE),
                    Unit.COUNT,
                ),
                Column(
                    "p95",
                    "Queries, 95 of 100 requests below",
                    quantile(0.95, DJANGO_REQUEST_DB_QUERIES, by=_ROUTE, where=CHOSEN, window=RANGE),
                    Unit.COUNT,
                ),
            ),
            links=(to(ENDPOINT, "Open this route", service=SERVICE_NAME, route=HTTP_ROUTE),),
        ),
        TimeSeries(
            key="n-plus-one",
            title="N+1 by line of code",
            help="Queries a second that one line of code repeats within a request, by route, statement and line.",
            act="Open the file at that line and fetch the rows in one query: select_related, prefetch_related or in_bulk.",
            missing=NO_COUNTS,
            unit=Unit.OPERATIONS_PER_SECOND,
            width=12,
            height=9,
            stacked=True,
            queries=or_none(
                rate(DJANGO_REQUEST_DB_N_PLUS_ONE, by=[HTTP_ROUTE, DB_QUERY_SUMMARY, DB_QUERY_REPEATED_CALLER], where=CHOSEN),
                (HTTP_ROUTE, DB_QUERY_SUMMARY, DB_QUERY_REPEATED_CALLER),
                out_of=rate(DJANGO_REQUEST_DB_QUERIES, where=CHOSEN),
            ),
        ),
    ),
)

STATEMENTS = Row(
    "statements",
    "What is slow, and what fails",
    (
        TimeSeries(
            key="slow-95",
            title="Statements, p95",
            help="Time within which 95 of 100 queries are answered, by operation and table.",
            act="One table: a missing index, or a lock. All of them: the database's host, or too few connections.",
            missing=NO_QUERIES,
            unit=Unit.SECONDS,
            queries=(Query(quantile(0.95, DB_CLIENT_OPERATION_DURATION, by=_STATEMENT, where=CHOSEN), tuple(_STATEMENT), exemplars=True),),
        ),
        TimeSeries(
            key="slow-99",
            title="Statements, p99",
            help="Time within which 99 of 100 queries are answered, by operation and table.",
            act="High here and low at p95: some rows, some values or a lock. A dot is a trace, its span names the line that ran it.",
            missing=NO_QUERIES,
            unit=Unit.SECONDS,
            queries=(Query(quantile(0.99, DB_CLIENT_OPERATION_DURATION, by=_STATEMENT, where=CHOSEN), tuple(_STATEMENT), exemplars=True),),
        ),
        Table(
            key="tables",
            title="Statements by number",
            help="Every operation and table within the time range, most queries first, with the mean time of one.",
            act="Many and fast costs as much as few and slow: multiply, and begin with the largest.",
            missing=NO_QUERIES,
            width=12,
            height=9,
            by=((DB_NAMESPACE, "Database"), (DB_OPERATION_NAME, "Operation"), (DB_COLLECTION_NAME, "Table")),
            columns=(
                Column(
                    "queries",
                    "Queries",
                    increase(DB_CLIENT_OPERATION_DURATION, by=[DB_NAMESPACE, *_STATEMENT], where=CHOSEN, window=RANGE),
                    Unit.COUNT,
                ),
                Column(
                    "mean",
                    "Mean time",
                    mean(DB_CLIENT_OPERATION_DURATION, by=[DB_NAMESPACE, *_STATEMENT], where=CHOSEN, window=RANGE),
                    Unit.SECONDS,
                ),
            ),
        ),
        TimeSeries(
            key="errors",
            title="Errors by type",
            help="Failed queries a second, by Django's exception class.",
            act="OperationalError: connection, lock or timeout. IntegrityError: a race of requests. ProgrammingError: a missing migration.",
            missing=NO_QUERIES,
            unit=Unit.EVENTS_PER_SECOND,
            width=12,
            height=9,
            stacked=True,
            bars=True,
            queries=or_none(
                rate(DB_CLIENT_OPERATION_DURATION, by=[ERROR_TYPE, DB_COLLECTION_NAME], where=_FAILED),
                (ERROR_TYPE, DB_COLLECTION_NAME),
                out_of=_QUERIES,
            ),
            links=(to(SERVICE_OVERVIEW, "To the service"),),
        ),
    ),
)

POOL = Row(
    "pool",
    "Connection pool",
    (
        TimeSeries(
            key="connections",
            title="Connections",
            help="Connections of the pools, lent and idle, and how many they may open.",
            act="Lent ones at the limit: requests wait, so raise max_size or shorten what a request does while it holds one.",
            missing=NO_QUERIES,
            unit=Unit.COUNT,
            width=8,
            queries=(
                *or_none(
                    total(DB_CLIENT_CONNECTION_COUNT, by=[*_POOL, DB_CLIENT_CONNECTION_STATE], where=CHOSEN),
                    (*_POOL, DB_CLIENT_CONNECTION_STATE),
                    out_of=_QUERIES,
                ),
                _of_pools(total(DB_CLIENT_CONNECTION_MAX, where=CHOSEN), "limit", "limit", Tone.WARNING),
            ),
        ),
        TimeSeries(
            key="wait",
            title="Wait for a connection",
            help="Time within which 95 of 100 get a connection from the pool.",
            act="Rising with traffic: the pool is too small, or transactions are too long.",
            missing=NO_QUERIES,
            unit=Unit.SECONDS,
            width=8,
            queries=or_none(quantile(0.95, DB_CLIENT_CONNECTION_WAIT_TIME, by=_POOL, where=CHOSEN), tuple(_POOL), out_of=_QUERIES),
        ),
        TimeSeries(
            key="timeouts",
            title="Waited in vain",
            help="Times a second that no connection came free in time.",
            act="Each is a failed request: raise max_size below the database's own limit, or find who holds connections.",
            missing=NO_QUERIES,
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            bars=True,
            queries=or_none(rate(DB_CLIENT_CONNECTION_TIMEOUTS, by=_POOL, where=CHOSEN), tuple(_POOL), out_of=_QUERIES),
        ),
    ),
)

BOARD = Dashboard(
    fact=DATABASE,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(SUMMARY, REQUESTS, STATEMENTS, POOL),
)
