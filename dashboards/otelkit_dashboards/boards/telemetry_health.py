"""Telemetry health: whether what the other boards show can be believed."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import SERVICE_OVERVIEW, TELEMETRY_HEALTH
from otelkit.catalog.labels import (
    DEPLOYMENT_ENVIRONMENT_NAME,
    DJANGO_VERSION,
    OTELKIT_VERSION,
    PYTHON_VERSION,
    SERVICE_NAME,
    SERVICE_VERSION,
    SIGNAL,
    VCS_REF_HEAD_REVISION,
)
from otelkit.catalog.metrics import (
    BUILD_INFO,
    HTTP_SERVER_REQUEST_DURATION,
    SERIES_OVERFLOWED,
    TARGET_INFO,
    TELEMETRY_CREATED,
)
from otelkit.catalog.objectives import EXPORT_ERROR_RATIO, TELEMETRY_AGE
from otelkit.catalog.promql import (
    RANGE,
    Expr,
    count,
    equals,
    farthest_from_zero,
    increase,
    lowest,
    newest,
    now,
    number,
    rate,
)
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.pipeline import BALANCE, EXPORT, FLOW, LOSS_THRESHOLDS, NO_PIPELINE, failed_exports, lost_share, unaccounted
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Column, Exemption, Query, Stat, Table, Thresholds, Unit, to

_SERVICE: Final = [SERVICE_NAME, DEPLOYMENT_ENVIRONMENT_NAME]
_AGE: Final = Thresholds(critical=TELEMETRY_AGE)


# With a window, so that services that stopped within the range are still seen.
_NEWEST: Final = newest(TARGET_INFO, by=_SERVICE, where=CHOSEN, window=RANGE)


def _made(signal: str) -> Expr:
    return rate(TELEMETRY_CREATED, by=_SERVICE, where=(*CHOSEN, equals(SIGNAL, signal)), window=RANGE)


_NO_OBJECTIVE = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")

VERDICT = Row(
    "verdict",
    "Can the other boards be believed?",
    (
        Stat(
            key="loss",
            title="Telemetry lost",
            help="Share of spans, log lines and points within the time range that were dropped instead of exported.",
            act="Above the line, see the reasons below: a full queue needs a faster receiver, a rejection a smaller batch.",
            missing=NO_PIPELINE,
            unit=Unit.SHARE,
            thresholds=LOSS_THRESHOLDS,
            queries=(Query(lost_share(window=RANGE), instant=True),),
        ),
        Stat(
            key="unaccounted",
            title="Unaccounted for",
            help="Created minus exported, dropped and queued, for the worst service and signal: 0, or something nobody counted.",
            act="Not 0 for minutes is a bug in the kit: report it with the graph of the balance below.",
            missing=NO_PIPELINE,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(BALANCE, _NO_OBJECTIVE),
            queries=(Query(farthest_from_zero(unaccounted(by=[SERVICE_NAME, SIGNAL]))),),
        ),
        Stat(
            key="export-errors",
            title="Exports that fail",
            help="Share of exports within the time range that the receiver did not take.",
            act="See the kinds of error below; connection refused and timeouts mean the receiver, 4xx the configuration.",
            missing=NO_PIPELINE,
            unit=Unit.SHARE,
            thresholds=Thresholds(critical=EXPORT_ERROR_RATIO),
            queries=(Query(failed_exports(window=RANGE), instant=True),),
        ),
        Stat(
            key="oldest-telemetry",
            title="Most silent service",
            help="Time since the newest sample of the service that has been silent longest.",
            act="Find its name in the table below, then check whether it runs at all before you check its exporter.",
            missing="No service sent metrics in this time range.",
            unit=Unit.SECONDS,
            thresholds=_AGE,
            queries=(Query(now() - lowest(_NEWEST), instant=True),),
        ),
        Stat(
            key="overflowed",
            title="Measurements in overflow",
            help="Measurements within the time range that lost their labels, because a metric has too many label sets.",
            act="See below which metric it is, then find the label whose values never end, like an id.",
            missing=NO_PIPELINE,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(
                Query(
                    increase(SERIES_OVERFLOWED, where=CHOSEN, window=RANGE).or_else(
                        number(0) * increase(TELEMETRY_CREATED, where=CHOSEN, window=RANGE)
                    ),
                    instant=True,
                ),
            ),
        ),
        Stat(
            key="nameless",
            title="Series without a service",
            help="Request series that no board shows, because they carry no service name.",
            act="Add service.name to Prometheus' otlp.promote_resource_attributes, or to the scrape job's labels.",
            missing="No request metrics at all: send a request to an instrumented service.",
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(
                Query(
                    count(HTTP_SERVER_REQUEST_DURATION, where=[equals(SERVICE_NAME, "")]).or_else(
                        number(0) * count(HTTP_SERVER_REQUEST_DURATION)
                    )
                ),
            ),
        ),
    ),
)

SERVICES = Row(
    "who-sends-what",
    "Services",
    (
        Table(
            key="services",
            title="Who sends what",
            help="Every service that sent metrics within the time range: how long ago, from how many workers, and how much of each signal.",
            act="An old age is a service that stopped. No spans or no log lines from a busy one is a signal that is switched off or lost.",
            missing="No service sent metrics in this time range.",
            by=((DEPLOYMENT_ENVIRONMENT_NAME, "Environment"), (SERVICE_NAME, "Service")),
            columns=(
                Column("age", "Silent for", now() - _NEWEST, Unit.SECONDS, _AGE),
                Column("workers", "Workers", count(TARGET_INFO, by=_SERVICE, where=CHOSEN), Unit.COUNT),
                Column("traces", "Spans", _made("traces"), Unit.EVENTS_PER_SECOND),
                Column("metrics", "Metric points", _made("metrics"), Unit.EVENTS_PER_SECOND),
                Column("logs", "Log lines", _made("logs"), Unit.EVENTS_PER_SECOND),
            ),
            links=(to(SERVICE_OVERVIEW, "Open this service", service=SERVICE_NAME),),
        ),
        Table(
            key="versions",
            title="Versions",
            help="What the workers run, by service: its own version and commit, Python, Django and otelkit.",
            act="Two versions of one service for longer than a deploy: a worker did not restart.",
            missing="No build information: the service is off, or runs without otelkit.",
            height=8,
            by=(
                (SERVICE_VERSION, "Version"),
                (VCS_REF_HEAD_REVISION, "Commit"),
                (PYTHON_VERSION, "Python"),
                (DJANGO_VERSION, "Django"),
                (OTELKIT_VERSION, "otelkit"),
                (SERVICE_NAME, "Service"),
            ),
            columns=(
                Column(
                    "workers",
                    "Workers",
                    count(
                        BUILD_INFO,
                        by=[SERVICE_NAME, SERVICE_VERSION, VCS_REF_HEAD_REVISION, PYTHON_VERSION, DJANGO_VERSION, OTELKIT_VERSION],
                        where=CHOSEN,
                    ),
                    Unit.COUNT,
                ),
            ),
        ),
    ),
)

BOARD = Dashboard(
    fact=TELEMETRY_HEALTH,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(VERDICT, FLOW, EXPORT, SERVICES),
)
