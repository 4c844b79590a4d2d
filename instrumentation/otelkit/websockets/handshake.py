"""What the handshake of a websocket says: who calls, from where, and what it brings along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otelkit.catalog.labels import UNMATCHED_ROUTE
from otelkit.redaction import redact_path
from otelkit.request.incoming import Incoming, meta_key
from otelkit.request.routes import normalise
from otelkit.websockets.state import ConnectionState


def read_handshake(scope: Mapping[str, Any], route: str | None, consumer: object, incoming: Incoming) -> ConnectionState:
    """What is known before the consumer is asked. ``route`` is the text of the pattern that matched, where one did."""
    meta = _meta(scope)
    outer = context.get_current()
    is_inside = _has_server_span(outer)
    parent, stranger = (outer, None) if is_inside else incoming.parent(meta)
    path = str(scope.get("path") or "")
    captured = (scope.get("url_route") or {}).get("kwargs") or {}
    kind = type(consumer)
    return ConnectionState(
        route=UNMATCHED_ROUTE if route is None else normalise(route),
        path=redact_path(path, captured) if captured else path,
        consumer=f"{kind.__module__}.{kind.__qualname__}",
        user_agent=str(meta.get("HTTP_USER_AGENT") or "")[:256],
        parent=parent,
        later=outer if is_inside else _for_messages(parent),
        stranger=stranger,
        is_inside=is_inside,
        request_id=incoming.request_id(meta) or "",
    )


def _meta(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers as Django's ``request.META`` has them; of one that comes twice, the first."""
    meta: dict[str, str] = {}
    for name, value in scope.get("headers") or ():
        meta.setdefault(meta_key(name.decode("latin-1")), value.decode("latin-1"))
    client = scope.get("client")
    meta["REMOTE_ADDR"] = str(client[0]) if client else ""
    return meta


def _for_messages(parent: Context) -> Context:
    """The handshake's baggage; and its caller's span where the caller said not to keep this: that goes for the messages, too."""
    caller = trace.get_current_span(parent)
    span_context = caller.get_span_context()
    found = Context()
    for name, value in baggage.get_all(parent).items():
        found = baggage.set_baggage(name, value, found)
    if span_context.is_valid and not span_context.trace_flags.sampled:
        found = trace.set_span_in_context(caller, found)
    return found


def _has_server_span(outer: Context) -> bool:
    """Whether somebody has opened a span for this connection already, in this process."""
    span = trace.get_current_span(outer)
    return span.is_recording() and getattr(span, "kind", None) is SpanKind.SERVER
