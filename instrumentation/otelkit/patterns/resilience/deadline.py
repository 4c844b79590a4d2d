"""How long an answer is still wanted: from the caller's header, through this service, to whom it calls.

The header holds the milliseconds that are left, so no clocks are compared; its name is the one that Envoy sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from otelkit.patterns.resilience.recording import note, shed

HEADER = "X-Envoy-Expected-Rq-Timeout-Ms"
_META_KEY = "HTTP_" + HEADER.upper().replace("-", "_")

_deadline: ContextVar[float | None] = ContextVar("otelkit_deadline", default=None)


class DeadlineExceededError(Exception):
    """Nobody waits for the answer any more."""


def remaining() -> float | None:
    """Seconds that are left, 0 or less where none is; None where nobody set a deadline."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - monotonic()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block has so many seconds, or fewer where its caller has fewer. Nothing is interrupted: :func:`timeout` asks."""
    deadline = monotonic() + seconds
    outer = _deadline.get()
    token = _deadline.set(deadline if outer is None else min(outer, deadline))
    try:
        yield
    finally:
        _deadline.reset(token)


def timeout(most: float) -> float:
    """Seconds for a call that may take ``most``: fewer where fewer are left. Raises DeadlineExceededError where none is."""
    left = remaining()
    if left is None:
        return most
    if left <= 0:
        note("deadline.exceeded")
        raise DeadlineExceededError("No time is left for this call: its caller does not wait any more.")
    return min(most, left)


def outgoing_headers() -> dict[str, str]:
    """The header for a call, by which the called service learns what is left; empty where there is no deadline."""
    left = remaining()
    return {} if left is None else {HEADER: str(max(int(left * 1000), 0))}


class DeadlineMiddleware:
    """Gives each request what its caller's header leaves it, at most ``longest`` seconds, and answers 504 where nothing is left.

    Subclass it to change ``longest``. A header that makes no sense is none.
    """

    sync_capable = True
    async_capable = True
    longest = 60.0

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        seconds = self._given(request.META)
        if self._is_async:
            return self._answer_async(request, seconds)
        if seconds <= 0:
            return self._too_late()
        with within(seconds):
            return self.get_response(request)

    async def _answer_async(self, request: HttpRequest, seconds: float) -> HttpResponseBase:
        if seconds <= 0:
            return self._too_late()
        with within(seconds):
            response: HttpResponseBase = await self.get_response(request)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:  # noqa: ARG002  (Django's signature)
        """504 for a DeadlineExceededError that the view let through."""
        return HttpResponse(status=504) if isinstance(exception, DeadlineExceededError) else None

    def _given(self, meta: Mapping[str, Any]) -> float:
        text = str(meta.get(_META_KEY, ""))[:20]
        if not text.isascii() or not text.isdigit():
            return self.longest
        return min(int(text) / 1000, self.longest)

    @staticmethod
    def _too_late() -> HttpResponse:
        shed("deadline")
        return HttpResponse(status=504)
