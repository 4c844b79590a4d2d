"""Websockets: how many are open, how they end, and what their consumers do."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import ERROR_TYPE, HTTP_ROUTE, WEBSOCKET_CLOSE_CODE, WEBSOCKET_EVENT, WEBSOCKET_OUTCOME
from otelkit.catalog.metrics import (
    WEBSOCKET_SERVER_ACTIVE_CONNECTIONS,
    WEBSOCKET_SERVER_CONNECTION_DURATION,
    WEBSOCKET_SERVER_EVENT_DURATION,
    WEBSOCKET_SERVER_SENT_MESSAGES,
)
from otelkit.catalog.promql import differs, quantile, rate, total
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import ALIVE, or_none
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import TimeSeries, Unit

NO_WEBSOCKETS: Final = "No websocket in this time range: the service has no consumer of Channels, or nobody connects."

_ENDED: Final = [WEBSOCKET_OUTCOME, WEBSOCKET_CLOSE_CODE]
_WORKED: Final = [HTTP_ROUTE, WEBSOCKET_EVENT]
_FAILED: Final = [HTTP_ROUTE, WEBSOCKET_EVENT, ERROR_TYPE]

WEBSOCKETS = Row(
    "websockets",
    "Websockets",
    (
        TimeSeries(
            key="websockets-open",
            title="Open connections",
            help="Websockets that are open now, by route.",
            act="All at once down: a deploy, or the proxy in front; see below how they ended. Growing for days: clients that never close.",
            missing=NO_WEBSOCKETS,
            unit=Unit.COUNT,
            width=6,
            queries=or_none(total(WEBSOCKET_SERVER_ACTIVE_CONNECTIONS, by=[HTTP_ROUTE], where=CHOSEN), (HTTP_ROUTE,), out_of=ALIVE),
        ),
        TimeSeries(
            key="websockets-ended",
            title="How connections end",
            help="Connections that ended, a second, by outcome and code.",
            act="lost 1006: networks and idle timeouts of proxies; error: read the error lines below; rejected: who may not connect.",
            missing=NO_WEBSOCKETS,
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            bars=True,
            queries=or_none(rate(WEBSOCKET_SERVER_CONNECTION_DURATION, by=_ENDED, where=CHOSEN), tuple(_ENDED), out_of=ALIVE),
        ),
        TimeSeries(
            key="websocket-work-time",
            title="Time for an event, p95",
            help="Time that a consumer takes for 95 of 100 handshakes, messages and good-byes.",
            act="Rising: a consumer works on one message at a time, so the next ones of its client wait; open a slow trace.",
            missing=NO_WEBSOCKETS,
            unit=Unit.SECONDS,
            width=6,
            queries=or_none(quantile(0.95, WEBSOCKET_SERVER_EVENT_DURATION, by=_WORKED, where=CHOSEN), tuple(_WORKED), out_of=ALIVE),
        ),
        TimeSeries(
            key="websockets-sent",
            title="Messages sent",
            help="Messages to clients a second, by route.",
            act="Far more than events: each message is sent to a group; look how large its groups are.",
            missing=NO_WEBSOCKETS,
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            queries=or_none(rate(WEBSOCKET_SERVER_SENT_MESSAGES, by=[HTTP_ROUTE], where=CHOSEN), (HTTP_ROUTE,), out_of=ALIVE),
        ),
        TimeSeries(
            key="websocket-failures",
            title="Failures by type",
            help="Events a second whose consumer raised, by route, event and exception: each ends its connection.",
            act="Open a trace of it for the exception; the line that its connection wrote has the same trace.",
            missing=NO_WEBSOCKETS,
            unit=Unit.EVENTS_PER_SECOND,
            width=24,
            bars=True,
            queries=or_none(
                rate(WEBSOCKET_SERVER_EVENT_DURATION, by=_FAILED, where=(*CHOSEN, differs(ERROR_TYPE, ""))), tuple(_FAILED), out_of=ALIVE
            ),
        ),
    ),
)
