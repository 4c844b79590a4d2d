"""requests: one client span per exchange, redirects and retries each their own.

Patched at the adapter, which sees every hop; ``Session.send`` would see a chain of redirects as one.
"""

from __future__ import annotations

from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording

_originals: dict[str, Any] = {}


def instrument(recording: Recording) -> None:
    """Follows every call of every session."""
    import requests

    if _originals:
        return
    send = requests.adapters.HTTPAdapter.send
    _originals["send"] = send

    def followed_send(
        self: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        call = recording.outbound.begin(request.method or "GET", request.url or "", request.headers)
        if call is None:
            return send(self, request, *args, **kwargs)
        try:
            response = send(self, request, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status_code)
        return response

    requests.adapters.HTTPAdapter.send = followed_send  # type: ignore[method-assign]


def uninstrument() -> None:
    """Puts requests' own method back."""
    if _originals:
        import requests

        requests.adapters.HTTPAdapter.send = _originals.pop("send")  # type: ignore[method-assign]


LIBRARY = Library(libraries.REQUESTS, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
