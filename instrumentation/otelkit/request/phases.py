"""Where the time of a request goes, without spans: middleware, view, and what libraries and queries count for themselves.

Each second counts for one phase only: a query within a template within a view is the query's. Measured with a few readings of the
clock, at the innermost middleware and around each step, query and call; no view runs in another thread for it.
The view's phase holds what comes after the last middleware: URL resolving, ``process_view`` hooks, the view, and making the pieces of a
streamed body.
Calls that run at the same time (asyncio.gather) each count in full.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from otelkit.request.serving import serving_engine
from otelkit.request.state import RequestState, state_of


class ViewMiddleware:
    """Put last by the kit: what runs inside of it is the view, and what remains of the request is middleware."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        if serving_engine() is None:
            raise MiddlewareNotUsed("otelkit is off")
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_async(request)
        state = state_of(request)
        if state is None:
            return self.get_response(request)
        before, started = state.attributed, perf_counter()
        try:
            return self.get_response(request)
        finally:
            end_view(state, before, started)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        state = state_of(request)
        if state is None:
            return await self._awaited(request)
        before, started = state.attributed, perf_counter()
        try:
            return await self._awaited(request)
        finally:
            end_view(state, before, started)

    async def _awaited(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        return response


def end_view(state: RequestState, before: float, started: float) -> None:
    """Counts the time since ``started`` for the view, but for what other phases took of it since ``before``."""
    own = perf_counter() - started - (state.attributed - before)
    if own > 0:
        state.view_time += own
