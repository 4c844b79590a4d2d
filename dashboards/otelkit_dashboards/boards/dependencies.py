"""What a service calls: its database and other services."""

from __future__ import annotations

from otelkit.catalog.labels import DB_COLLECTION_NAME, DB_OPERATION_NAME, DB_SYSTEM_NAME, ERROR_TYPE, SERVER_ADDRESS, SERVICE_PEER_NAME
from otelkit.catalog.metrics import DB_CLIENT_OPERATION_DURATION, HTTP_CLIENT_REQUEST_DURATION
from otelkit.catalog.promql import RANGE, differs, number, quantile, rate, ratio
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.requests import ERROR_THRESHOLDS, LATENCY_THRESHOLDS
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Column, Query, Table, TimeSeries, Tone, Unit

NO_QUERIES = "No database queries in this time range: the service made none, or its database is not instrumented."
NO_CALLS = "No outbound calls in this time range: the service made none, or its HTTP client is not instrumented."

_FAILED = (*CHOSEN, differs(ERROR_TYPE, ""))
_STATEMENT = [DB_OPERATION_NAME, DB_COLLECTION_NAME]
_PEER = [SERVER_ADDRESS, SERVICE_PEER_NAME]

DEPENDENCIES = Row(
    "dependencies",
    "What it depends on",
    (
        TimeSeries(
            key="db-rate",
            title="Database queries",
            help="Queries a second by kind of statement, and those that failed.",
            act="Rising faster than requests: a route began to repeat queries. Failed ones: read the error logs for the reason.",
            missing=NO_QUERIES,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=(
                Query(
                    rate(DB_CLIENT_OPERATION_DURATION, by=[DB_SYSTEM_NAME, DB_OPERATION_NAME], where=CHOSEN),
                    (DB_SYSTEM_NAME, DB_OPERATION_NAME),
                    key="queries",
                ),
                Query(
                    rate(DB_CLIENT_OPERATION_DURATION, where=_FAILED).or_else(number(0) * rate(DB_CLIENT_OPERATION_DURATION, where=CHOSEN)),
                    "failed",
                    key="failed",
                    tone=Tone.BAD,
                ),
            ),
        ),
        TimeSeries(
            key="db-latency",
            title="Database latency, p95",
            help="Time within which 95 of 100 queries are answered, by statement and table.",
            act="One table: a missing index or a lock. All of them: the database itself, so look at its host and connections.",
            missing=NO_QUERIES,
            unit=Unit.SECONDS,
            queries=(
                Query(
                    quantile(0.95, DB_CLIENT_OPERATION_DURATION, by=_STATEMENT, where=CHOSEN),
                    (DB_OPERATION_NAME, DB_COLLECTION_NAME),
                    exemplars=True,
                ),
            ),
        ),
        Table(
            key="outbound",
            title="Outbound calls",
            help="Every host that was called in the time range, most called first.",
            act="Errors here with errors above: the fault is theirs, so call their owner. Slow here: shorten the timeout.",
            missing=NO_CALLS,
            width=12,
            height=8,
            by=((SERVICE_PEER_NAME, "Service"), (SERVER_ADDRESS, "Host")),
            columns=(
                Column(
                    "rate",
                    "Calls",
                    rate(HTTP_CLIENT_REQUEST_DURATION, by=_PEER, where=CHOSEN, window=RANGE),
                    Unit.REQUESTS_PER_SECOND,
                ),
                Column(
                    "errors",
                    "Errors",
                    ratio(
                        rate(HTTP_CLIENT_REQUEST_DURATION, by=_PEER, where=_FAILED, window=RANGE),
                        rate(HTTP_CLIENT_REQUEST_DURATION, by=_PEER, where=CHOSEN, window=RANGE),
                    ),
                    Unit.SHARE,
                    ERROR_THRESHOLDS,
                ),
                Column(
                    "p95",
                    "p95",
                    quantile(0.95, HTTP_CLIENT_REQUEST_DURATION, by=_PEER, where=CHOSEN, window=RANGE),
                    Unit.SECONDS,
                    LATENCY_THRESHOLDS,
                ),
            ),
        ),
        TimeSeries(
            key="outbound-latency",
            title="Outbound latency, p95",
            help="Time within which 95 of 100 calls are answered, by host.",
            act="Compare with the latency of this service: a step in both at once shows where the time goes. A dot is a trace.",
            missing=NO_CALLS,
            unit=Unit.SECONDS,
            thresholds=LATENCY_THRESHOLDS,
            queries=(
                Query(
                    quantile(0.95, HTTP_CLIENT_REQUEST_DURATION, by=_PEER, where=CHOSEN),
                    (SERVICE_PEER_NAME, SERVER_ADDRESS),
                    exemplars=True,
                ),
            ),
        ),
    ),
)
