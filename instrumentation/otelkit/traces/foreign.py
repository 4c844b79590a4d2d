"""Spans that another instrumentation has opened for what otelkit is about to follow.

Two spans for one request, or for one call, would be counted twice by every backend. So the one that is there is adopted: it stays its
owner's to end, and is told what otelkit knows.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from otelkit.redaction import redact_url
from otelkit.traces.contexts import context_of

UPSTREAM = "opentelemetry.instrumentation."
"""What the scopes of OpenTelemetry's own instrumentations begin with."""

_METHODS = ("http.request.method", "http.method")
"""The attribute that every span of HTTP has, in the stable and in the old conventions."""
_ADDRESSES = ("http.url", "http.target", "url.full")


def open_server_span(outer: Context) -> Span | None:
    """The span of this request that somebody opened around Django, in this process; None where there is none.

    Of one that is not sampled nothing is known but its ids: whatever stands around a request unsampled is taken for it, as its decision
    would hold anyway.
    """
    span = trace.get_current_span(outer)
    context = context_of(span)  # which raises here, if ever, where it costs the adoption alone
    if not context.is_valid or context.is_remote:
        return None
    if span.is_recording():
        return span if _is_http(span, SpanKind.SERVER) else None
    return None if context.trace_flags.sampled else span  # a sampled one that does not record has ended


def open_client_span() -> Span | None:
    """The span of this call that one of OpenTelemetry's own instrumentations has opened around it; None where there is none."""
    span = trace.get_current_span()
    return span if span.is_recording() and scope_of(span).startswith(UPSTREAM) and _is_http(span, SpanKind.CLIENT) else None


def scope_of(span: Span) -> str:
    """The name of the instrumentation that made the span; empty where it does not say."""
    return str(getattr(getattr(span, "instrumentation_scope", None), "name", ""))


def redact_addresses(span: Span) -> None:
    """Takes the values out of the query strings that the other instrumentation wrote down."""
    attributes = _attributes(span)
    found = {key: redact_url(str(attributes[key])) for key in _ADDRESSES if key in attributes}
    if query := attributes.get("url.query"):
        found["url.query"] = redact_url(f"?{query}")[1:]
    if found:
        span.set_attributes(found)


def _is_http(span: Span, kind: SpanKind) -> bool:
    if getattr(span, "kind", None) is not kind:
        return False
    attributes = _attributes(span)
    return any(method in attributes for method in _METHODS)


def _attributes(span: Span) -> Any:
    return getattr(span, "attributes", None) or {}
