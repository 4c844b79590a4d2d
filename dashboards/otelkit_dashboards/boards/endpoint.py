"""Endpoint drilldown: one route, from its rate down to single traces and log lines."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import ENDPOINT, SERVICE_OVERVIEW
from otelkit.catalog.labels import DB_QUERY_TEXT, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, REQUEST_PHASE, SERVICE_NAME
from otelkit.catalog.logql import lines
from otelkit.catalog.metrics import (
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_QUERIES,
    DJANGO_REQUEST_PHASE_DURATION,
    HTTP_SERVER_REQUEST_DURATION,
    Metric,
)
from otelkit.catalog.promql import RANGE, buckets, increase, mean, quantile, ratio
from otelkit.catalog.traceql import by_id, spans
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.requests import (
    ERROR_THRESHOLDS,
    LATENCY_THRESHOLDS,
    body_sizes,
    by_exception,
    by_status_class,
    error_ratio,
    latency_quantiles,
    requests,
)
from otelkit_dashboards.model import Dashboard, Row, TextVariable, Variable
from otelkit_dashboards.panels import BarGauge, Heatmap, Logs, Query, Stat, TimeSeries, Tone, TraceList, TraceView, Unit, to

NO_REQUESTS: Final = "No requests to this route in this time range: choose a wider range or another route."
NO_COUNTS: Final = "No query counts for this route: it had no requests in this time range."

ROUTE: Final = Variable(
    name="route",
    title="Route",
    help="URL pattern that matched. One at a time: two routes in one line hide each other.",
    label=HTTP_ROUTE,
    source=HTTP_SERVER_REQUEST_DURATION,
    where=CHOSEN,
)
TRACE: Final = TextVariable(name="trace_id", title="Trace", help="Id of the trace that the last row draws; the list of traces fills it.")

THIS_ROUTE: Final = (*CHOSEN, ROUTE.chosen)


def _per_request(metric: Metric) -> tuple[Query, ...]:
    return (
        Query(mean(metric, where=THIS_ROUTE), "mean", key="mean", tone=Tone.NEUTRAL),
        Query(quantile(0.95, metric, where=THIS_ROUTE), "p95", key="p95", tone=Tone.WARNING),
    )


SUMMARY = Row(
    "summary",
    "This route",
    (
        Stat(
            key="error-ratio",
            title="Error ratio",
            help="Share of this route's requests within the time range that were answered with a 5xx.",
            act="Look at the exceptions below, then at what failed beneath the request.",
            missing=NO_REQUESTS,
            unit=Unit.SHARE,
            thresholds=ERROR_THRESHOLDS,
            queries=(Query(error_ratio(THIS_ROUTE, window=RANGE), instant=True),),
        ),
        Stat(
            key="p95",
            title="Latency, p95",
            help="Time within which 95 of 100 requests are answered now.",
            act="Open one of the slowest traces below and find its longest span.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            thresholds=LATENCY_THRESHOLDS,
            queries=(Query(quantile(0.95, HTTP_SERVER_REQUEST_DURATION, where=THIS_ROUTE)),),
        ),
        Stat(
            key="request-rate",
            title="Requests",
            help="Requests a second now.",
            act="None where there should be some: a caller stopped, or the route was renamed.",
            missing=NO_REQUESTS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=(Query(requests(THIS_ROUTE)),),
        ),
        Stat(
            key="share",
            title="Share of the service",
            help="This route's part of the chosen services' requests within the time range.",
            act="A small part that fails hurts few users, a large part many: decide by it how fast to act.",
            missing=NO_REQUESTS,
            unit=Unit.SHARE,
            queries=(Query(ratio(requests(THIS_ROUTE, window=RANGE), requests(CHOSEN, window=RANGE)), instant=True),),
        ),
        Stat(
            key="queries",
            title="Queries a request",
            help="Database queries that one request makes on average now.",
            act="Dozens for a list view: add select_related or prefetch_related.",
            missing=NO_COUNTS,
            unit=Unit.COUNT,
            queries=(Query(mean(DJANGO_REQUEST_DB_QUERIES, where=THIS_ROUTE)),),
        ),
        Stat(
            key="repeats",
            title="Repeated queries a request",
            help="Queries of one request whose statement ran more than once in it, on average now: the mark of N+1.",
            act="Several for each request: the database board names the statement and the line that runs it.",
            missing=NO_COUNTS,
            unit=Unit.COUNT,
            queries=(Query(mean(DJANGO_REQUEST_DB_DUPLICATES, where=THIS_ROUTE)),),
        ),
    ),
)

ANSWERS = Row(
    "answers",
    "Answers",
    (
        TimeSeries(
            key="status-classes",
            title="Requests by status class",
            help="Answers a second by class of status.",
            act="Rising 5xx: look at the exceptions. Rising 4xx: a caller sends something new.",
            missing=NO_REQUESTS,
            unit=Unit.REQUESTS_PER_SECOND,
            queries=by_status_class(THIS_ROUTE),
            links=(to(SERVICE_OVERVIEW, "Back to the service"),),
        ),
        BarGauge(
            key="status-codes",
            title="Status codes",
            help="Answers within the time range by status.",
            act="429: a limit was reached. 499 and 504: callers or proxies gave up waiting. 500: read the exceptions.",
            missing=NO_REQUESTS,
            unit=Unit.COUNT,
            queries=(
                Query(
                    increase(HTTP_SERVER_REQUEST_DURATION, by=[HTTP_RESPONSE_STATUS_CODE], where=THIS_ROUTE, window=RANGE),
                    (HTTP_RESPONSE_STATUS_CODE,),
                    instant=True,
                ),
            ),
        ),
        TimeSeries(
            key="latency",
            title="Latency",
            help="Time within which 50, 95 and 99 of 100 requests are answered; the dashed line is the objective.",
            act="p99 alone: some requests are special, so compare their traces. All three: a dependency. A dot is a trace.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            thresholds=LATENCY_THRESHOLDS,
            queries=latency_quantiles(THIS_ROUTE),
        ),
        Heatmap(
            key="latency-spread",
            title="Latency, spread",
            help="Requests a second by how long they took: two bands are two kinds of request, like cached and not.",
            act="A new upper band is what became slow: click one of its dots to open a trace.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            queries=(Query(buckets(HTTP_SERVER_REQUEST_DURATION, where=THIS_ROUTE), exemplars=True),),
        ),
        TimeSeries(
            key="query-counts",
            title="Queries a request over time",
            help="Database queries that one request makes: the average, and what 95 of 100 requests stay below.",
            act="A step up is a change in the view or its serializer: compare with the deploys.",
            missing=NO_COUNTS,
            unit=Unit.COUNT,
            width=8,
            queries=_per_request(DJANGO_REQUEST_DB_QUERIES),
        ),
        TimeSeries(
            key="repeat-counts",
            title="Repeated queries a request over time",
            help="Queries whose statement ran more than once in the same request: the average, and what 95 of 100 requests stay below.",
            act="Growing with the data is N+1: fetch the related rows in one query.",
            missing=NO_COUNTS,
            unit=Unit.COUNT,
            width=8,
            queries=_per_request(DJANGO_REQUEST_DB_DUPLICATES),
        ),
        TimeSeries(
            key="phases",
            title="Where the time goes",
            help="Average time of each phase in the requests that had it: no second counts twice, a query in a template is the query's.",
            act="The phase that grew is where to look: db for its queries, outbound for the service called, view for the code itself.",
            missing=NO_REQUESTS,
            unit=Unit.SECONDS,
            queries=(Query(mean(DJANGO_REQUEST_PHASE_DURATION, by=[REQUEST_PHASE], where=THIS_ROUTE), (REQUEST_PHASE,)),),
        ),
        TimeSeries(
            key="body-sizes",
            title="Body sizes, p95",
            help="Size that 95 of 100 requests and responses stay below, where the setting requests.body_sizes is on.",
            act="Growing responses slow every client: page the list or return fewer fields. Growing requests: limit uploads.",
            missing=NO_REQUESTS,
            unit=Unit.BYTES,
            queries=body_sizes(THIS_ROUTE),
        ),
        TimeSeries(
            key="exceptions",
            title="Exceptions by type",
            help="Exceptions a second that this route raised, by class.",
            act="A type that begins with a deploy belongs to it: its stack trace is in the log lines below.",
            missing=NO_REQUESTS,
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            stacked=True,
            bars=True,
            queries=by_exception(THIS_ROUTE),
        ),
    ),
)

TRACES = Row(
    "traces",
    "Traces and logs",
    (
        TraceList(
            key="slowest-traces",
            title="Slowest traces",
            help="The newest traces of this route, slowest first.",
            act="Click a name to draw that trace in the last row, or an id to open it in Explore; its longest span is where the time goes.",
            missing="No trace of this route: check that traces are exported and sampled.",
            width=12,
            height=9,
            opens=("Draw this trace below", TRACE.name),
            queries=(Query(spans(*THIS_ROUTE, kind="server")),),
        ),
        TraceList(
            key="failed-below",
            title="What failed below",
            help="Failed spans beneath requests to this route, with the service and the statement they belong to.",
            act="The deepest one is the cause: everything above it failed because of it.",
            missing="Nothing failed beneath this route.",
            may_be_empty="a healthy route has no failed spans beneath it",
            width=12,
            height=9,
            opens=("Draw this trace below", TRACE.name),
            queries=(Query(spans(*THIS_ROUTE, kind="server").having_below(spans(status="error")).select(SERVICE_NAME, DB_QUERY_TEXT)),),
        ),
        Logs(
            key="logs",
            title="Log lines of this route",
            help="What requests to this route wrote, the access line included, newest first.",
            act="Filter by the trace_id of a slow or failed trace to read one request from start to end.",
            missing="No log lines of this route: check that the service sends logs to Loki.",
            queries=(Query(lines(*THIS_ROUTE)),),
        ),
    ),
)

ONE_TRACE = Row(
    "one-trace",
    "One trace",
    (
        TraceView(
            key="trace",
            title="Trace $trace_id",
            help="The trace whose id stands at the top of the board.",
            act="Look for the longest span without children, and for rows of equal ones.",
            missing="No trace is chosen: click one in the list of slowest traces.",
            may_be_empty="no trace is chosen until a reader clicks one",
            queries=(Query(by_id("$trace_id")),),
        ),
    ),
    collapsed=True,
)

BOARD = Dashboard(
    fact=ENDPOINT,
    variables=(ENVIRONMENT, SERVICE, ROUTE, TRACE),
    annotations=(DEPLOYS, FIRING),
    rows=(SUMMARY, ANSWERS, TRACES, ONE_TRACE),
)
