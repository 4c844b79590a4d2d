"""Load shedding: a quick 503 for some instead of a slow one for all."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from otelkit.patterns.resilience.recording import shed
from otelkit.request.incoming import queue_seconds
from otelkit.request.state import state_of


class LoadSheddingMiddleware:
    """Answers 503 with Retry-After where this process has enough to do. Subclass it to set the limits; those of 0 are off.

    Put it first, behind otelkit's own, and far above what opens database connections.
    """

    sync_capable = True
    async_capable = True

    most_in_flight = 0
    """Requests that one process answers at once."""
    longest_queue = 0.0
    """Seconds that a request may have waited in front of the service, where its proxy says so (X-Request-Start)."""
    retry_after = 1
    """Seconds after which the caller may come again."""
    never = ("/livez", "/readyz", "/startupz", "/healthz", "/metrics")
    """Paths that are always answered: a probe that is turned away restarts a service which is only busy."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self._in_flight = 0
        self._counting = Lock()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_async(request)
        if reason := self._enter(request):
            return self._turned_away(reason)
        try:
            return self.get_response(request)
        finally:
            self._leave()

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        if reason := self._enter(request):
            return self._turned_away(reason)
        try:
            response: HttpResponseBase = await self.get_response(request)
            return response
        finally:  # also of a cancelled request
            self._leave()

    def _enter(self, request: HttpRequest) -> str:
        """Takes a place among the requests in flight; the reason where the request gets none."""
        spared = request.path_info.rstrip("/") in self.never
        if not spared and self.longest_queue and (_queued(request) or 0.0) > self.longest_queue:
            return "queue_time"
        with self._counting:
            if not spared and self.most_in_flight and self._in_flight >= self.most_in_flight:
                return "concurrency"
            self._in_flight += 1
        return ""

    def _leave(self) -> None:
        with self._counting:
            self._in_flight -= 1

    def _turned_away(self, reason: str) -> HttpResponse:
        shed(reason)
        return HttpResponse(status=503, headers={"Retry-After": str(self.retry_after), "Cache-Control": "no-store"})


def _queued(request: HttpRequest) -> float | None:
    state = state_of(request)
    if state is not None:
        return state.queued  # whether the header is believed is decided there
    text = request.META.get("HTTP_X_REQUEST_START") or request.META.get("HTTP_X_QUEUE_START")
    return queue_seconds(str(text), time.time()) if text else None
