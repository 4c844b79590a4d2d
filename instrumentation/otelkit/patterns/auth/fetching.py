"""A small document from an address that the settings name: bounded in time and size, without redirects."""

from __future__ import annotations

import urllib.request
from time import monotonic
from typing import Any

_CHUNK = 65_536


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def fetch(url: str, timeout: float, most_bytes: int) -> bytes:
    """The body of a 200. Raises ValueError where it is longer than ``most_bytes``, TimeoutError after ``timeout`` seconds, and OSError."""
    deadline = monotonic() + timeout
    opener = urllib.request.build_opener(_NoRedirect())
    with opener.open(url, timeout=timeout) as answer:
        body = b""
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > most_bytes:
                raise ValueError(f"The answer is longer than {most_bytes} bytes.")
            if monotonic() > deadline:  # the timeout of a socket begins anew with each byte
                raise TimeoutError(f"The answer took longer than {timeout:g} s.")
    return body
