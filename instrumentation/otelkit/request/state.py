"""What is known about the request that is being answered. One object, carried by a context variable and by the request itself."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from opentelemetry.context import Context
from opentelemetry.trace import Span

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
    queries: Queries = field(default_factory=Queries)
    exception: BaseException | None = None
    """What Django turned into a 500, or what went through us."""
    ended: bool = False
    context_token: Token[Context] | None = None
    state_token: Token[RequestState | None] | None = None


CURRENT: ContextVar[RequestState | None] = ContextVar("otelkit_request", default=None)
"""The request that this thread or task answers, or None."""

ATTRIBUTE = "_otelkit"
"""Where the state hangs on Django's request, for signal handlers that run in another context."""


def state_of(request: Any) -> RequestState | None:
    """The state that the middleware hung on this request, if it did."""
    found = getattr(request, ATTRIBUTE, None)
    return found if isinstance(found, RequestState) else None
