"""aiohttp's client: one client span per call, redirects within it.

``ClientSession._request`` is what every method calls. aiohttp's own trace configs, which upstream uses, are given to a session when it is
made: sessions that are older would be missed, and those that are younger would keep ours after stop().
"""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every call of every session."""
    from aiohttp import ClientSession

    if not _patches:
        _patches.replace(ClientSession, "_request", partial(_follow, recording))


def _follow(recording: Recording, request: Any) -> Any:
    from aiohttp import ClientResponseError
    from multidict import CIMultiDict

    @wraps(request)
    async def followed(self: Any, method: str, str_or_url: Any, **kwargs: Any) -> Any:
        try:
            headers = CIMultiDict(kwargs.get("headers") or ())  # a copy: the caller's may be used again
        except Exception:  # noqa: BLE001  (aiohttp says what is wrong with them)
            return await request(self, method, str_or_url, **kwargs)
        call = recording.outbound.begin(method, _address(self, str_or_url), headers)
        if call is None:
            return await request(self, method, str_or_url, **kwargs)
        try:
            response = await request(self, method, str_or_url, **{**kwargs, "headers": headers})
        except ClientResponseError as error:
            if error.status:  # the answer came, and raise_for_status made it this
                call.answered(error.status, error.headers)
            else:
                call.failed(error)
            raise
        except BaseException as error:
            call.failed(error)
            raise
        call.resends = len(response.history)
        call.answered(response.status, response.headers)
        return response

    return followed


def _address(session: Any, url: Any) -> str:
    try:
        return str(session._build_url(url))  # with the session's base_url
    except Exception:  # noqa: BLE001  (aiohttp says what is wrong with it)
        return str(url)


def uninstrument() -> None:
    """Puts aiohttp's own method back."""
    _patches.restore()


LIBRARY = Library(libraries.AIOHTTP, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
