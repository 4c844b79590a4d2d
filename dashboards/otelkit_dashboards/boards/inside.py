"""What a request spends its time on inside of the process: caches, templates, and what is refused before a view."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import (
    CACHE_NAME,
    CACHE_OPERATION,
    CACHE_OUTCOME,
    HTTP_ROUTE,
    SERVICE_NAME,
    TEMPLATE_NAME,
    THROTTLE_SCOPE,
    Label,
)
from otelkit.catalog.metrics import (
    DJANGO_CACHE_OPERATION_DURATION,
    DJANGO_TEMPLATE_RENDER_DURATION,
    HTTP_SERVER_REQUEST_DURATION,
    THROTTLE_REJECTIONS,
    VALIDATION_FAILURES,
)
from otelkit.catalog.promql import Expr, equals, matches, number, quantile, rate, ratio
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import or_none
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Query, TimeSeries, Tone, Unit

NO_CACHE: Final = "No calls of a cache in this time range: the service uses none of Django's, or the library django_cache is disabled."

NO_REQUESTS: Final = "No requests in this time range."

_CACHE = [SERVICE_NAME, CACHE_NAME]
_REQUESTS = rate(HTTP_SERVER_REQUEST_DURATION, where=CHOSEN)
_ASKED = (*CHOSEN, matches(CACHE_OUTCOME, "hit|miss"))
_HITS = (*CHOSEN, equals(CACHE_OUTCOME, "hit"))
_FAILED = (*CHOSEN, equals(CACHE_OUTCOME, "error"))


def _or_unused(found: Expr, legend: tuple[Label, ...]) -> tuple[Query, Query]:
    """What was found by ``legend``; where there is nothing at all, a line "not used" as long as there are requests."""
    none = (number(0) * _REQUESTS).unless_on([], found)
    return (
        Query(found, legend, key="found", may_be_empty='not every service uses this; the query "none" says so'),
        Query(none, "not used", key="none", tone=Tone.MUTED, may_be_empty='it is used; the query "found" shows it'),
    )


INSIDE = Row(
    "inside",
    "Inside of a request",
    (
        TimeSeries(
            key="cache-hits",
            title="Cache hits",
            help="Share of the questions that the cache could answer in full, by cache.",
            act="A fall at a deploy: keys or versions changed. A slow fall: values live too short, or a full cache throws them out.",
            missing=NO_CACHE,
            unit=Unit.SHARE,
            width=8,
            queries=_or_unused(
                ratio(
                    rate(DJANGO_CACHE_OPERATION_DURATION, by=_CACHE, where=_HITS),
                    rate(DJANGO_CACHE_OPERATION_DURATION, by=_CACHE, where=_ASKED),
                ),
                tuple(_CACHE),
            ),
        ),
        TimeSeries(
            key="cache-time",
            title="Cache time, p95",
            help="Time within which 95 of 100 calls of a cache come back, by cache and operation.",
            act="All operations: the cache's host or the network. get_many or clear alone: too many keys at once.",
            missing=NO_CACHE,
            unit=Unit.SECONDS,
            width=8,
            queries=_or_unused(
                quantile(0.95, DJANGO_CACHE_OPERATION_DURATION, by=[CACHE_NAME, CACHE_OPERATION], where=CHOSEN),
                (CACHE_NAME, CACHE_OPERATION),
            ),
        ),
        TimeSeries(
            key="cache-errors",
            title="Failed cache calls",
            help="Calls of a cache that raised, a second, by cache and operation.",
            act="Each may have failed a request: look whether the cache's server is up, then at the error logs.",
            missing=NO_CACHE,
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            bars=True,
            queries=or_none(
                rate(DJANGO_CACHE_OPERATION_DURATION, by=[CACHE_NAME, CACHE_OPERATION], where=_FAILED),
                (CACHE_NAME, CACHE_OPERATION),
                out_of=_REQUESTS,
            ),
        ),
        TimeSeries(
            key="template-time",
            title="Templates, p95",
            help="Time within which 95 of 100 renderings of a template are done, those that it includes with it.",
            act="One template: the queries that it makes show in its trace. All of them: the processor is busy.",
            missing="No templates in this time range: the service renders none, or the library django_templates is disabled.",
            unit=Unit.SECONDS,
            queries=_or_unused(quantile(0.95, DJANGO_TEMPLATE_RENDER_DURATION, by=[TEMPLATE_NAME], where=CHOSEN), (TEMPLATE_NAME,)),
        ),
        TimeSeries(
            key="template-rate",
            title="Templates rendered",
            help="Renderings a second, by template.",
            act="Far more than requests: one is rendered for each row or each field; include it, or render once.",
            missing="No templates in this time range: the service renders none, or the library django_templates is disabled.",
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=_or_unused(rate(DJANGO_TEMPLATE_RENDER_DURATION, by=[TEMPLATE_NAME], where=CHOSEN), (TEMPLATE_NAME,)),
        ),
        TimeSeries(
            key="invalid",
            title="Invalid requests",
            help="Requests a second whose content a serializer or a schema found wrong, by route.",
            act="From a deploy on: a client or this API changed its fields. A share of an old route: somebody tries.",
            missing=NO_REQUESTS,
            unit=Unit.EVENTS_PER_SECOND,
            queries=or_none(rate(VALIDATION_FAILURES, by=[HTTP_ROUTE], where=CHOSEN), (HTTP_ROUTE,), out_of=_REQUESTS),
        ),
        TimeSeries(
            key="throttled",
            title="Throttled requests",
            help="Requests a second that a throttle refused, by its scope.",
            act="One client without pause: tell it. Many clients: the rate is too low, or they retry at once.",
            missing=NO_REQUESTS,
            unit=Unit.EVENTS_PER_SECOND,
            queries=or_none(rate(THROTTLE_REJECTIONS, by=[THROTTLE_SCOPE], where=CHOSEN), (THROTTLE_SCOPE,), out_of=_REQUESTS),
        ),
    ),
)
