"""Asks each known server in turn."""

from __future__ import annotations

import logging
from collections.abc import Callable

from otelkit.servers import asgi, granian, gunicorn, uwsgi
from otelkit.servers.base import UNKNOWN, Calls, Server

logger = logging.getLogger("otelkit")

# gunicorn before those whose workers it can run.
_KNOWN: tuple[Callable[[Calls], Server | None], ...] = (gunicorn.find, uwsgi.find, granian.find, *asgi.FINDERS)


def recognise() -> Server:
    """The server of this process as it stands now: while the application is loaded, or just after a fork. Does not raise."""
    calls = Calls()
    for find in _KNOWN:
        try:
            found = find(calls)
        except Exception:  # their insides may change with any release; then it is a server that we do not know
            logger.debug("A server could not be recognised.", exc_info=True)
            continue
        if found is not None:
            return found
    return UNKNOWN
