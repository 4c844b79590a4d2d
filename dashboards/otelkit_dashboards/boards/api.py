"""API: what was promised to callers, and what they get."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import API
from otelkit.catalog.labels import (
    API_DEPRECATED,
    API_VERSION,
    CLIENT_NAME,
    DIRECTION,
    FEATURE_FLAG_KEY,
    FEATURE_FLAG_RESULT_VARIANT,
    HTTP_ROUTE,
    SERVICE_NAME,
)
from otelkit.catalog.metrics import API_CONTRACT_VIOLATIONS, API_REQUESTS, API_SUNSET_TIME, FEATURE_FLAG_EVALUATIONS
from otelkit.catalog.promql import RANGE, equals, increase, minimum, now, rate
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.guards import or_zero, where_used
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_API: Final = "No service reports here: it is off, or its metrics do not arrive."
_NO_OBJECTIVE: Final = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")
_VERSION: Final = [SERVICE_NAME, API_VERSION]

CONTRACT: Final = Row(
    "contract",
    "Is the contract kept?",
    (
        Stat(
            key="violations",
            title="Contract violations",
            help="Messages within the time range that the OpenAPI schema does not allow, of those that were compared.",
            act="See beside whose they are: an answer that breaks it is ours to mend, or the schema is behind the code.",
            missing=NO_API,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(Query(or_zero(increase(API_CONTRACT_VIOLATIONS, where=CHOSEN, window=RANGE)), instant=True),),
        ),
        TimeSeries(
            key="violations-by-route",
            title="Violations by route",
            help="Messages a second that the schema does not allow, by route and by who sent them.",
            act="The warning in the log names the place in the schema; requests that rise with a client's release are that client's.",
            missing=NO_API,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(API_CONTRACT_VIOLATIONS, by=[SERVICE_NAME, HTTP_ROUTE, DIRECTION], where=CHOSEN), (SERVICE_NAME, HTTP_ROUTE, DIRECTION)
            ),
        ),
        TimeSeries(
            key="versions",
            title="Requests by version",
            help="Requests a second for each version of the API.",
            act="A new version that nobody asks for was announced to nobody; an old one that stays level needs a talk with its callers.",
            missing=NO_API,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(API_REQUESTS, by=_VERSION, where=CHOSEN), (SERVICE_NAME, API_VERSION)),
        ),
        TimeSeries(
            key="deprecated",
            title="Who asks for deprecated versions",
            help="Requests a second for versions that are deprecated, by client.",
            act="Talk to these before the version ends; `_OTHER` are callers that give no name, or one that nobody listed.",
            missing=NO_API,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(API_REQUESTS, by=[*_VERSION, CLIENT_NAME], where=(*CHOSEN, equals(API_DEPRECATED, "true"))),
                (SERVICE_NAME, API_VERSION, CLIENT_NAME),
            ),
        ),
        TimeSeries(
            key="time-to-sunset",
            title="Time until versions end",
            help="Time until the moment that the Sunset header names, by version; below 0 it has passed.",
            act="Near 0 with callers left in the panel beside: move the date, or tell them today.",
            missing=NO_API,
            unit=Unit.SECONDS,
            signed=True,
            queries=where_used(minimum(API_SUNSET_TIME, by=_VERSION, where=CHOSEN) - now(), (SERVICE_NAME, API_VERSION)),
        ),
        TimeSeries(
            key="flags",
            title="Feature flags",
            help="Evaluations of feature flags a second, by flag and variant.",
            act="Compare a step here with errors and latency; a flag with one variant for weeks can be taken out of the code.",
            missing=NO_API,
            unit=Unit.OPERATIONS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(FEATURE_FLAG_EVALUATIONS, by=[FEATURE_FLAG_KEY, FEATURE_FLAG_RESULT_VARIANT], where=CHOSEN),
                (FEATURE_FLAG_KEY, FEATURE_FLAG_RESULT_VARIANT),
            ),
        ),
    ),
)

BOARD: Final = Dashboard(
    fact=API,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(CONTRACT,),
)
