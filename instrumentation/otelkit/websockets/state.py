"""What is known about the connection by websocket that is being served here."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from otelkit.catalog import logs as keys
from otelkit.catalog.labels import HTTP_ROUTE, UNMATCHED_ROUTE


@dataclass(slots=True)
class ConnectionState:
    """From its handshake to its end."""

    route: str
    path: str
    consumer: str
    """Dotted name of the class that serves it."""
    user_agent: str
    parent: Context
    """The context that the handshake came in."""
    later: Context
    """The context that its messages begin in: without a span, with the handshake's baggage."""
    stranger: SpanContext | None
    """The span of a caller that is not believed."""
    is_inside: bool
    """Whether another instrumentation has a span around the whole connection."""
    request_id: str
    handshake: SpanContext = INVALID_SPAN_CONTEXT
    started: float = field(default_factory=perf_counter)
    is_accepted: bool = False
    close_code: object = None
    is_closed_by_us: bool = False
    error: BaseException | None = None
    error_context: Context | None = None
    """That of the event that failed."""
    received: int = 0
    sent: int = 0

    @property
    def log_keys(self) -> dict[str, str]:
        """What a line says that is written while it is served."""
        known = {keys.REQUEST_ID: self.request_id} if self.request_id else {}
        return known if self.route == UNMATCHED_ROUTE else {**known, HTTP_ROUTE.name: self.route}


CURRENT_CONNECTION: ContextVar[ConnectionState | None] = ContextVar("otelkit_connection", default=None)
"""The connection that this task serves, or None."""
