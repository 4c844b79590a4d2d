"""httpx: one client span per exchange, redirects and retries each their own.

Patched at the transports, below the client: a mounted or custom client is followed too, and upstream's instrumentation does the same.
"""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.outbound import as_one

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every call of sync and async clients."""
    import httpx

    if _patches:
        return
    _patches.replace(httpx.HTTPTransport, "handle_request", partial(_follow, recording))
    _patches.replace(httpx.AsyncHTTPTransport, "handle_async_request", partial(_follow_async, recording))
    _patches.replace(httpx.Client, "send", as_one)
    _patches.replace(httpx.AsyncClient, "send", as_one)


def _follow(recording: Recording, handle: Any) -> Any:
    @wraps(handle)
    def handle_request(self: Any, request: Any) -> Any:
        call = recording.outbound.begin(request.method, str(request.url), request.headers)
        if call is None:
            return handle(self, request)
        try:
            response = handle(self, request)
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status_code, response.headers)
        return response

    return handle_request


def _follow_async(recording: Recording, handle: Any) -> Any:
    @wraps(handle)
    async def handle_async_request(self: Any, request: Any) -> Any:
        call = recording.outbound.begin(request.method, str(request.url), request.headers)
        if call is None:
            return await handle(self, request)
        try:
            response = await handle(self, request)
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status_code, response.headers)
        return response

    return handle_async_request


def uninstrument() -> None:
    """Puts httpx's own methods back."""
    _patches.restore()


LIBRARY = Library(libraries.HTTPX, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
