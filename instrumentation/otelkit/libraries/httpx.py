"""httpx: one client span per exchange, redirects and retries each their own.

Patched at the transports, below the client: a mounted or custom client is followed too, and upstream's instrumentation does the same.
"""

from __future__ import annotations

from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording

_originals: dict[str, Any] = {}


def instrument(recording: Recording) -> None:
    """Follows every call of sync and async clients."""
    import httpx

    if _originals:
        return
    handle, handle_async = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    _originals.update(sync=handle, asynchronous=handle_async)

    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        call = recording.outbound.begin(request.method, str(request.url), request.headers)
        if call is None:
            return handle(self, request)
        try:
            response = handle(self, request)
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status_code)
        return response

    async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        call = recording.outbound.begin(request.method, str(request.url), request.headers)
        if call is None:
            return await handle_async(self, request)
        try:
            response = await handle_async(self, request)
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status_code)
        return response

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]


def uninstrument() -> None:
    """Puts httpx's own methods back."""
    if _originals:
        import httpx

        httpx.HTTPTransport.handle_request = _originals.pop("sync")  # type: ignore[method-assign]
        httpx.AsyncHTTPTransport.handle_async_request = _originals.pop("asynchronous")  # type: ignore[method-assign]


LIBRARY = Library(libraries.HTTPX, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
