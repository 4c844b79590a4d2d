"""Service overview: is it healthy, and if not, in which direction to look."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import ENDPOINT, SERVICE_OVERVIEW
from otelkit.catalog.labels import ALERTSTATE, HTTP_ROUTE, SERVICE_NAME
from otelkit.catalog.logql import DETECTED_LEVEL, count_lines, lines
from otelkit.catalog.metrics import (
    ALERTS,
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_QUERIES,
    HTTP_SERVER_REQUEST_DURATION,
    TARGET_INFO,
)
from otelkit.catalog.objectives import AVAILABILITY, BURN_WINDOWS
from otelkit.catalog.promql import RANGE, buckets, count, equals, matches, mean, number, quantile
from otelkit.catalog.traceql import spans
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.dependencies import DEPENDENCIES
from otelkit_dashboards.boards.inside import INSIDE
from otelkit_dashboards.boards.processes import PROCESSES
from otelkit_dashboards.boards.requests import (
    ERROR_THRESHOLDS,
    LATENCY_THRESHOLDS,
    by_exception,
    by_status_class,
    error_ratio,
    latency_quantiles,
    queue_time,
    requests,
)
from otelkit_dashboards.boards.websockets import WEBSOCKETS
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import (
    Column,
    Exemption,
    Heatmap,
    Logs,
    Query,
    Stat,
    Table,
    Thresholds,
    TimeSeries,
    Tone,
    TraceList,
    Unit,
    to,
)

NO_REQUESTS: Final = "No requests in this time range: send some, or check that the service exports metrics."

_PAGING = BURN_WINDOWS[0]

HEALTH = Row(
    "health",
    "Is it healthy?",
    (
        Stat(
            key="firing-alerts",
            title="Firing alerts",
            help="Alerts that fire now for the chosen services.",
            act="Open the alert and its runbook first: it knows more than this board.",
            missing="No telemetry and no alerts: check that Prometheus receives metrics and evaluates the rules.",
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(Exemption("threshold-is-objective", "One firing alert is one too many; no objective says so."),),
            queries=(
                Query(count(ALERTS, where=(equals(ALERTSTATE, "firing"), *CHOSEN)).or_else(number(0) * count(TARGET_INFO, where=CHOSEN))),
            ),
        ),
        Stat(
            key="availability",
            title="Availability",
            help=f"Share of requests within the time range that were not answered with a 5xx; the objective is {AVAILABILITY.target:.1%}.",
            act="Below the objective, look at the exceptions and at the routes that fail, then at the newest deploy.",
            missing=NO_REQUESTS,
            unit=Unit.SHARE,
            thresholds=Thresholds(critical=AVAILABILITY.target, bad_below=True),
            queries=(Query(1 - error_ratio(CHOSEN, window=RANGE), instant=True),),
        ),
        Stat(
            key="budget-burn",
            title="Error budget burn",
            help=f"How many times faster than allowed the last {_PAGING.long} spent the error budget: at 1 it lasts exactly "
            f"{AVAILABILITY.days} days.",
            act=f"Above {_PAGING.factor:g} somebody is paged: roll back the newest deploy if the burn began with it.",
            missing=NO_REQUESTS,
            unit=Unit.TIMES,
            thresholds=Thresholds(warning=BURN_WINDOWS[-1].factor, critical=_PAGING.factor),
            exemptions=(Exemption("rate-interval", "The window is the alert's, so that panel and alert show the same number."),),
            queries=(Query(error_ratio(CHOSEN, window=_PAGING.long) / AVAILABILITY.budget),),
        ),
        Stat(
            key="error-ratio",
            title="Error ratio",
            help="Share of requests that are answered with a 5xx now.",
            act="Rising alone: a bug or a broken dependency; rising with latency: saturation or timeouts.",
            missing=NO_REQUESTS,
            unit=Unit.SHARE,
            thresholds=ERROR_THRESHOLDS,
            queries=(Query(error_ratio(CHOSEN)),),
        ),
        Stat(
            key="p95",
            title="Latency, p95",
            help="Time within which 95 of 100 requests are answered now.",
            act="Find the slow routes in the table below, then see whether their time goes to the database or to other services.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            thresholds=LATENCY_THRESHOLDS,
            queries=(Query(quantile(0.95, HTTP_SERVER_REQUEST_DURATION, where=CHOSEN)),),
        ),
        Stat(
            key="request-rate",
            title="Requests",
            help="Requests a second now.",
            act="A sudden drop is an outage in front of the service: check the proxy, the callers and the deploy.",
            missing=NO_REQUESTS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=(Query(requests(CHOSEN)),),
        ),
    ),
)

TRAFFIC = Row(
    "traffic",
    "Traffic",
    (
        TimeSeries(
            key="status-classes",
            title="Requests by status class",
            help="Answers a second by class of status, and all of them a week ago.",
            act="Rising 5xx: look at the exceptions. Rising 4xx: a caller changed. Far from last week: traffic itself changed.",
            missing=NO_REQUESTS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=(
                *by_status_class(CHOSEN),
                Query(
                    requests(CHOSEN, offset="1w"),
                    "a week ago",
                    key="weekago",
                    tone=Tone.MUTED,
                    dashed=True,
                    may_be_empty="there is no telemetry of last week yet",
                ),
            ),
        ),
        TimeSeries(
            key="exceptions",
            title="Exceptions by type",
            help="Exceptions a second that requests raised, by class.",
            act="A type that begins with a deploy belongs to it: open the error logs below for the stack trace.",
            missing=NO_REQUESTS,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            bars=True,
            queries=by_exception(CHOSEN),
        ),
        TimeSeries(
            key="latency",
            title="Latency",
            help="Time within which 50, 95 and 99 of 100 requests are answered; the dashed line is the objective.",
            act="p99 alone: some requests are special; all three together: the host, the database or a dependency. A dot is a trace.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            thresholds=LATENCY_THRESHOLDS,
            queries=latency_quantiles(CHOSEN),
        ),
        TimeSeries(
            key="queue-time",
            title="Queue time, p95",
            help="Time that 95 of 100 requests wait at most between the proxy and a worker, where the proxy sends X-Request-Start.",
            act="Rising with calm latency: all workers are busy, so add some; rising with it: make the slow routes faster first.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            queries=queue_time(CHOSEN),
        ),
        Heatmap(
            key="latency-spread",
            title="Latency, spread",
            help="Requests a second by how long they took: two bands are two kinds of request.",
            act="A new upper band is what became slow: click one of its dots to open a trace.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            queries=(Query(buckets(HTTP_SERVER_REQUEST_DURATION, where=CHOSEN), exemplars=True),),
        ),
        Table(
            key="routes",
            title="Routes",
            help="Every route with traffic in the time range, busiest first.",
            act="Sort by errors or p95 to find the route that hurts, and click it for its own board. "
            "Repeated queries above a few mean N+1.",
            missing=NO_REQUESTS,
            by=((SERVICE_NAME, "Service"), (HTTP_ROUTE, "Route")),
            columns=(
                Column("rate", "Requests", requests(CHOSEN, by=[SERVICE_NAME, HTTP_ROUTE], window=RANGE), Unit.REQUESTS_PER_SECOND),
                Column("errors", "Errors", error_ratio(CHOSEN, by=[SERVICE_NAME, HTTP_ROUTE], window=RANGE), Unit.SHARE, ERROR_THRESHOLDS),
                Column(
                    "p95",
                    "p95",
                    quantile(0.95, HTTP_SERVER_REQUEST_DURATION, by=[SERVICE_NAME, HTTP_ROUTE], where=CHOSEN, window=RANGE),
                    Unit.SECONDS,
                    LATENCY_THRESHOLDS,
                ),
                Column(
                    "queries",
                    "Queries a request",
                    mean(DJANGO_REQUEST_DB_QUERIES, by=[SERVICE_NAME, HTTP_ROUTE], where=CHOSEN, window=RANGE),
                    Unit.COUNT,
                ),
                Column(
                    "repeats",
                    "Repeated queries a request",
                    mean(DJANGO_REQUEST_DB_DUPLICATES, by=[SERVICE_NAME, HTTP_ROUTE], where=CHOSEN, window=RANGE),
                    Unit.COUNT,
                ),
            ),
            links=(to(ENDPOINT, "Open this route", service=SERVICE_NAME, route=HTTP_ROUTE),),
        ),
    ),
)

LOGS = Row(
    "logs",
    "Logs and traces",
    (
        TimeSeries(
            key="log-volume",
            title="Log lines by level",
            help="Log lines by level, counted per bar.",
            act="A growing red part: read the lines below. No lines at all from a busy service: check the log exporter.",
            missing="No log lines: check that the service sends logs to Loki.",
            unit=Unit.COUNT,
            width=24,
            height=6,
            stacked=True,
            bars=True,
            tones=(
                ("debug", Tone.MUTED),
                ("info", Tone.NEUTRAL),
                ("warn", Tone.WARNING),
                ("error", Tone.BAD),
                ("critical", Tone.BAD),
            ),
            queries=(Query(count_lines(*CHOSEN, by=[DETECTED_LEVEL]), (DETECTED_LEVEL,)),),
        ),
        TraceList(
            key="failing-traces",
            title="Traces that failed",
            help="The newest traces with a failed span, slowest first.",
            act="Open one: its red span names the exception, and the service where it began may be another one.",
            missing="No failed trace in this time range.",
            may_be_empty="a healthy service has no failed traces",
            queries=(Query(spans(*CHOSEN, status="error")),),
        ),
        Logs(
            key="error-logs",
            title="Error logs",
            help="Lines of level error and critical, newest first.",
            act="Open a line and follow its trace_id to the trace, or filter by its error_fingerprint to see when it began.",
            missing="No error lines in this time range.",
            may_be_empty="a healthy service writes no error lines",
            queries=(Query(lines(*CHOSEN, matches(DETECTED_LEVEL, "error|critical|fatal"))),),
        ),
    ),
)

BOARD = Dashboard(
    fact=SERVICE_OVERVIEW,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(HEALTH, TRAFFIC, WEBSOCKETS, DEPENDENCIES, INSIDE, PROCESSES, LOGS),
)
