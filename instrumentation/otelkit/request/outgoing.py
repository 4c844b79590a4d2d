"""The trace's id and our name in the response, for browsers, testers and callers: opt-in, because it tells strangers something about us."""

from __future__ import annotations

from collections.abc import Collection

from django.http.response import HttpResponseBase
from opentelemetry.trace import SpanContext

from otelkit.traces.w3c import traceparent_of

TRACERESPONSE = "traceresponse"
"""W3C Trace Context level 2, draft of the response header; what OpenTelemetry's TraceResponsePropagator writes, too."""
SERVER_TIMING = "server-timing"
"""``Server-Timing: traceparent``, which a browser's scripts can read."""


SERVICE_NAME = "service-name"
"""``X-Service-Name``: whom the caller has reached, which otelkit there takes for ``service.peer.name``. Ours."""


def write_trace_headers(response: HttpResponseBase, span: SpanContext, wanted: Collection[str], service: str) -> None:
    """Adds the headers that the setting ``requests.response_headers`` names. ``service`` is our own name."""
    if SERVICE_NAME in wanted:
        response.headers["X-Service-Name"] = service
    if not span.is_valid:
        return
    value = traceparent_of(span)
    headers = response.headers
    if TRACERESPONSE in wanted:
        headers[TRACERESPONSE] = value
        if "Access-Control-Allow-Origin" in headers:  # scripts of other origins see only what is listed
            _append(response, "Access-Control-Expose-Headers", TRACERESPONSE)
    if SERVER_TIMING in wanted:
        _append(response, "Server-Timing", f'traceparent;desc="{value}"')


def _append(response: HttpResponseBase, name: str, value: str) -> None:
    before = response.headers.get(name)
    response.headers[name] = f"{before}, {value}" if before else value
