"""Connections by websocket."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

WEBSOCKET_EVENT = Label(
    "websocket.event",
    "What a consumer worked on: `connect`, `receive`, `disconnect`, or the type of a message of the channel layer; "
    "`_OTHER` where it has no handler. Ours.",
)
WEBSOCKET_CLOSE_CODE = Label(
    "websocket.close_code",
    "Code that ended the connection (RFC 6455); of a client's own codes the class, `3xxx` or `4xxx`; `_OTHER` for what is none. Ours.",
)
WEBSOCKET_OUTCOME = Label(
    "websocket.outcome",
    "How a connection ended: `rejected` was never accepted, `lost` had no good-bye, `error` was a mistake of either side. Ours.",
    ("ok", "rejected", "lost", "error"),
)
