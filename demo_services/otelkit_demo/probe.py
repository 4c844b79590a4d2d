"""``python -m otelkit_demo.probe URL``: exit 0 when the address answers with a 2xx. A healthcheck for images without curl."""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

TIMEOUT = 2.0
"""Seconds that an answer may take: shorter than the timeout of the healthcheck around it, so that the reason is printed."""

# What answers is next door; a proxy that the machine uses for the world outside does not know it. Nor does a probe follow
# redirects: "go elsewhere" is no sign of health.
_OPENER = urllib.request.OpenerDirector()
for _handler in (urllib.request.HTTPHandler, urllib.request.HTTPErrorProcessor, urllib.request.HTTPDefaultErrorHandler):
    _OPENER.add_handler(_handler())


def trouble(url: str, *, timeout: float = TIMEOUT) -> str | None:
    """What is wrong with the address, in one line, or None when it answers with a 2xx within ``timeout`` seconds.

    Raises ValueError for an address that is not http.
    """
    if not url.startswith("http://"):
        raise ValueError(f"A probe asks an http:// address; this one is {url!r}.")
    try:
        with _OPENER.open(url, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answers {error.code} {error.reason}"
    except OSError as error:  # refused, unknown host, timed out: URLError is one too
        return f"{url} does not answer: {getattr(error, 'reason', None) or error}"
    except http.client.HTTPException as error:
        return f"{url} does not speak HTTP: {error!r}"


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 for a 2xx, 1 with the reason on standard error, 2 for a call without exactly one http address."""
    if len(arguments) != 1:
        print("usage: python -m otelkit_demo.probe http://HOST:PORT/PATH", file=sys.stderr)
        return 2
    try:
        reason = trouble(arguments[0])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if reason:
        print(reason, file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
