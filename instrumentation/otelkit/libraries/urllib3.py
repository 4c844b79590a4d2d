"""urllib3, where it is used directly (botocore, many vendors' clients): one client span per attempt, retries and redirects each their own.

``_make_request`` is the one place that each attempt passes; ``urlopen`` calls itself for the next one, and would see them as one. Below
requests it stays silent: that call has its span.
"""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.outbound import is_within_a_call

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every attempt of every pool."""
    from urllib3.connectionpool import HTTPConnectionPool

    if not _patches:
        _patches.replace(HTTPConnectionPool, "_make_request", partial(_follow, recording))


def _follow(recording: Recording, make: Any) -> Any:
    from urllib3 import HTTPHeaderDict

    @wraps(make)
    def followed(self: Any, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if is_within_a_call() or len(args) > 1:  # headers that are given by their place: no release of urllib3 does so
            return make(self, conn, method, url, *args, **kwargs)
        try:
            headers = HTTPHeaderDict(kwargs.get("headers"))  # a copy: the caller's may be used again, for another host
        except Exception:  # noqa: BLE001  (urllib3 says what is wrong with them)
            return make(self, conn, method, url, *args, **kwargs)
        call = recording.outbound.begin(method, _address(self, url), headers)
        if call is None:
            return make(self, conn, method, url, *args, **kwargs)
        history = getattr(kwargs.get("retries"), "history", None)
        call.resends = len(history) if isinstance(history, tuple) else 0
        try:
            response = make(self, conn, method, url, *args, **{**kwargs, "headers": headers})
        except BaseException as error:
            call.failed(error)
            raise
        call.answered(response.status, response.headers)
        return response

    return followed


def _address(pool: Any, url: str) -> str:
    """The whole address; through a proxy urllib3 has it already."""
    if not url.startswith("/"):
        return url
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    return f"{pool.scheme}://{host}:{pool.port}{url}" if pool.port else f"{pool.scheme}://{host}{url}"


def uninstrument() -> None:
    """Puts urllib3's own method back."""
    _patches.restore()


LIBRARY = Library(libraries.URLLIB3, instrument, uninstrument, emits=(HTTP_CLIENT_REQUEST_DURATION,))
