"""Connections by websocket, and the messages on them."""

from __future__ import annotations

from otelkit.catalog.labels import ERROR_TYPE, HTTP_ROUTE, WEBSOCKET_CLOSE_CODE, WEBSOCKET_EVENT, WEBSOCKET_OUTCOME
from otelkit.catalog.metrics.model import LONG_BUCKETS, SECONDS_BUCKETS, Kind, Metric

# No convention names these; their shape is that of SignalR's stable metrics: a duration, and how many there are.
WEBSOCKET_SERVER_CONNECTION_DURATION = Metric(
    "websocket.server.connection.duration",
    Kind.HISTOGRAM,
    "s",
    "Time between the handshake of a connection and its end.",
    (HTTP_ROUTE, WEBSOCKET_OUTCOME, WEBSOCKET_CLOSE_CODE, ERROR_TYPE),
    LONG_BUCKETS,
)
WEBSOCKET_SERVER_ACTIVE_CONNECTIONS = Metric(
    "websocket.server.active_connections", Kind.UP_DOWN_COUNTER, "{connection}", "Connections that are open now.", (HTTP_ROUTE,)
)
WEBSOCKET_SERVER_EVENT_DURATION = Metric(
    "websocket.server.event.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that a consumer took for a handshake, a message of the client or of the channel layer, or the good-bye.",
    (HTTP_ROUTE, WEBSOCKET_EVENT, ERROR_TYPE),
    SECONDS_BUCKETS,
)
WEBSOCKET_SERVER_SENT_MESSAGES = Metric(
    "websocket.server.sent.messages", Kind.COUNTER, "{message}", "Messages that consumers sent to clients.", (HTTP_ROUTE,)
)
