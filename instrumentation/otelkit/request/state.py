"""What is known about the request that is being answered. One object, carried by a context variable and by the request itself."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext

from otelkit.request.incoming import Incoming
from otelkit.request.queries import Queries


@dataclass(slots=True)
class RequestState:
    """From the first byte in to the last byte out."""

    request: HttpRequest
    method: str
    scheme: str
    started: float
    """Reading of the performance counter, in seconds."""
    span: Span
    context: Context
    incoming: Incoming
    is_adopted: bool = False
    """Whether another instrumentation opened the span, and so ends it."""
    queued: float | None = None
    """Seconds the request waited between the proxy and us, where the proxy says so."""
    queries: Queries = field(default_factory=Queries)
    # Seconds, each counted for one phase only (see request/phases.py); those of queries are in `queries`.
    view_time: float = 0.0
    template_time: float = 0.0
    outbound_time: float = 0.0
    cache_time: float = 0.0
    serialization_time: float = 0.0
    middleware_time: float | None = None
    """Known once the last middleware has returned."""
    cache_hits: int = 0
    cache_misses: int = 0
    validation_errors: int = 0
    view_name: str | None = None
    """The operation, where a library knows better than the URL pattern what answers."""
    sent_bytes: int = 0
    """Of a streamed body, so far."""
    exception: BaseException | None = None
    """What Django turned into a 500, or what went through us."""
    ended: bool = False
    context_token: Token[Context] | None = None
    state_token: Token[RequestState | None] | None = None

    @property
    def attributed(self) -> float:
        """Seconds that already count for a phase."""
        return self.view_time + self.template_time + self.outbound_time + self.cache_time + self.serialization_time + self.queries.duration

    @property
    def request_id(self) -> str:
        """The id the caller gave, where it is believed, else the id of the span: the same on every line of the request."""
        return self.incoming.request_id(self.request.META) or f"{self.span.get_span_context().span_id:016x}"


CURRENT: ContextVar[RequestState | None] = ContextVar("otelkit_request", default=None)
"""The request that this thread or task answers, or None."""

ATTRIBUTE = "_otelkit"
"""Where the state hangs on Django's request, for signal handlers that run in another context."""


_SPAN_CONTEXT = "_otelkit_span_context"
"""What stays on Django's request when its state is gone: the state refers to the request, so it must not."""


def forget(state: RequestState) -> None:
    """Takes the ended state off its request, and leaves behind which span it was."""
    attributes = state.request.__dict__
    attributes.pop(ATTRIBUTE, None)
    attributes[_SPAN_CONTEXT] = state.span.get_span_context()


def span_context_of_request(request: HttpRequest) -> SpanContext | None:
    """The span context of a request whose state is gone, if it had one."""
    found = request.__dict__.get(_SPAN_CONTEXT)
    return found if isinstance(found, SpanContext) else None


def state_of(request: Any) -> RequestState | None:
    """The state that the middleware hung on this request, if it did."""
    found = getattr(request, ATTRIBUTE, None)
    return found if isinstance(found, RequestState) else None
