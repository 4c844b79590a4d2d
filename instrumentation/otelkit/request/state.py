"""What is known about the request that is being answered. One object, carried by a context variable and by the request itself."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from django.http import HttpRequest
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext

from otelkit.request.incoming import Incoming
from otelkit.request.queries import Queries
from otelkit.traces.contexts import span_id_text


class RequestState:
    """From the first byte in to the last byte out."""

    __slots__ = (
        "_request_id",
        "cache_hits",
        "cache_misses",
        "cache_time",
        "context",
        "context_token",
        "ended",
        "exception",
        "incoming",
        "is_adopted",
        "method",
        "middleware_time",
        "outbound_time",
        "own_time",
        "queries",
        "queued",
        "request",
        "scheme",
        "sent_bytes",
        "serialization_time",
        "span",
        "span_context",
        "started",
        "state_token",
        "template_time",
        "validation_errors",
        "view_name",
        "view_time",
    )

    def __init__(
        self,
        request: HttpRequest,
        method: str,
        scheme: str,
        started: float,
        span: Span,
        span_context: SpanContext,
        context: Context,
        incoming: Incoming,
    ) -> None:
        self.request = request
        self.method = method
        self.scheme = scheme
        self.started = started
        """Reading of the performance counter, in seconds."""
        self.span = span
        self.span_context = span_context
        self.context = context
        self.incoming = incoming
        self.is_adopted = False
        """Whether another instrumentation opened the span, and so ends it."""
        self.queued: float | None = None
        """Seconds the request waited between the proxy and us, where the proxy says so."""
        self.queries = Queries()
        # Seconds, each counted for one phase only (see request/phases.py); those of queries are in `queries`.
        self.view_time = 0.0
        self.template_time = 0.0
        self.outbound_time = 0.0
        self.cache_time = 0.0
        self.serialization_time = 0.0
        self.middleware_time: float | None = None
        """Known once the last middleware has returned."""
        self.cache_hits = 0
        self.cache_misses = 0
        self.validation_errors = 0
        self.view_name: str | None = None
        """The operation, where a library knows better than the URL pattern what answers."""
        self.own_time: float | None = None
        """Seconds that the kit itself took so far; None in a request of which that is not measured."""
        self.sent_bytes = 0
        """Of a streamed body, so far."""
        self.exception: BaseException | None = None
        """What Django turned into a 500, or what went through us."""
        self.ended = False
        self.context_token: Token[Context] | None = None
        self.state_token: Token[RequestState | None] | None = None
        self._request_id: str | None = None

    @property
    def attributed(self) -> float:
        """Seconds that already count for a phase."""
        return self.view_time + self.template_time + self.outbound_time + self.cache_time + self.serialization_time + self.queries.duration

    @property
    def request_id(self) -> str:
        """The id the caller gave, where it is believed, else the id of the span: the same on every line of the request."""
        found = self._request_id
        if found is None:
            found = self._request_id = self.incoming.request_id(self.request.META) or span_id_text(self.span_context)
        return found


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
    attributes[_SPAN_CONTEXT] = state.span_context


def span_context_of_request(request: HttpRequest) -> SpanContext | None:
    """The span context of a request whose state is gone, if it had one."""
    found = request.__dict__.get(_SPAN_CONTEXT)
    return found if isinstance(found, SpanContext) else None


def state_of(request: Any) -> RequestState | None:
    """The state that the middleware hung on this request, if it did."""
    found = getattr(request, ATTRIBUTE, None)
    return found if type(found) is RequestState else None
