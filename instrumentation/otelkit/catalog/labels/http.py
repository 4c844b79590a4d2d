"""Requests that the service answers, calls that it makes, and what fails in them."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

HTTP_REQUEST_METHOD = Label(
    "http.request.method",
    "HTTP method; `_OTHER` for one that no RFC knows.",
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER"),
)
HTTP_ROUTE = Label("http.route", "URL pattern that matched, like `/orders/{pk}`; `unmatched` where none did.")
HTTP_RESPONSE_STATUS_CODE = Label("http.response.status_code", "HTTP status of the answer.")
URL_SCHEME = Label("url.scheme", "`http` or `https`, as Django sees it.", ("http", "https"))
REQUEST_PHASE = Label(
    "phase",
    "What the time of a request went to; each second counts for one phase only. Ours.",
    ("middleware", "view", "template", "serialization", "db", "cache", "outbound"),
)
SERVER_ADDRESS = Label("server.address", "Host that was called.")
SERVER_PORT = Label("server.port", "Port that was called.")
SERVICE_PEER_NAME = Label("service.peer.name", "Name of the called service, where the settings map its host to one, or its answer says it.")
ERROR_TYPE = Label("error.type", "Exception class or status of a failure; absent on success.")
EXCEPTION_TYPE = Label("exception.type", "Class of the exception, with its module.")
HANDLED = Label("handled", "Whether the service answered for it itself (`true`), or Django did (`false`). Ours.", ("true", "false"))
UNMATCHED_ROUTE = "unmatched"
"""Value of ``http.route`` for requests that no URL pattern matched: they share one series."""
OTHER_METHOD = "_OTHER"
"""Value of ``http.request.method`` for unknown methods (semantic conventions, HTTP)."""
