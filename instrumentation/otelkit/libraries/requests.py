"""requests: one client span per exchange, redirects each their own; retries of urllib3 are within it.

Patched at the adapter, which sees every hop; ``Session.send`` would see a chain of redirects as one.
"""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.outbound import as_one, is_within_a_call

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every call of every session."""
    import requests

    if _patches:
        return
    _patches.replace(requests.adapters.HTTPAdapter, "send", partial(_follow, recording))
    _patches.replace(requests.Session, "send", as_one)


def _follow(recording: Recording, send: Any) -> Any:
    @wraps(send)
    def followed_send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if is_within_a_call():  # an adapter that calls another one
            return send(self, request, *args, **kwargs)
        call = recording.outbound.begin(request.method or "GET", request.url or "", request.headers)
        if call is None:
            return send(self, request, *args, **kwargs)
        try:
            response = send(self, request, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        call.resends += _retries_of(response)
        call.answered(response.status_code, response.headers)
        return response

    return followed_send


def _retries_of(response: Any) -> int:
    """How often urllib3 sent it again, which it does on its own where a session is told to."""
    history = getattr(getattr(getattr(response, "raw", None), "retries", None), "history", None)
    return len(history) if isinstance(history, tuple) else 0


def uninstrument() -> None:
    """Puts requests' own methods back."""
    _patches.restore()


LIBRARY = Library(libraries.REQUESTS, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
