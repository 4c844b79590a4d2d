"""The one middleware, outermost: begins and ends the telemetry of a request, in sync and in async projects, without a change of thread."""

from __future__ import annotations

import asyncio
import sys
import weakref
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from otelkit.request.foreign import stand_down_late
from otelkit.request.serving import serving_engine
from otelkit.request.state import state_of


class ObservabilityMiddleware:
    """Put first by ``otelkit`` in INSTALLED_APPS; may also be listed in MIDDLEWARE by hand."""

    # No process_view or process_exception: Django would call them through a thread in async projects.
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        engine = serving_engine()
        if engine is None:
            raise MiddlewareNotUsed("otelkit is off, or another engine follows requests: setting requests.engine")
        stand_down_late(settings.MIDDLEWARE)
        self.get_response = get_response
        self._engine = engine
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_async(request)
        engine = self._engine
        if engine.excludes(request):
            leave = engine.silence()
            try:
                return self.get_response(request)
            finally:
                leave()
        state = engine.begin(request)
        engine.enter(state)
        try:
            response: HttpResponseBase = self.get_response(request)
            engine.finish(state, response)
            return response
        except BaseException as error:
            engine.end(state, None, error)
            raise
        finally:
            engine.leave(state)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        engine = self._engine
        if engine.excludes(request):
            leave = engine.silence()
            try:
                return await self._awaited(request)
            finally:
                leave()
        state = engine.begin(request)
        if (task := asyncio.current_task()) is not None:  # whose line a query of the async ORM belongs to
            state.queries.task = weakref.ref(task)
        engine.enter(state)
        try:
            response = await self._awaited(request)
            engine.finish(state, response)
            return response
        except BaseException as error:  # also CancelledError: a client that went away
            engine.end(state, None, error)
            raise
        finally:
            engine.leave(state)

    async def _awaited(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        return response


def remember_exception(request: HttpRequest | None = None, **_: Any) -> None:
    """Receiver of Django's ``got_request_exception``: Django answers 500 itself, so this is where the exception can be seen."""
    state = state_of(request)
    if state is not None:
        state.exception = sys.exc_info()[1]
