"""Lines that say again what the kit says: the server's own access lines, and a library's line for each call.

Without the kit nobody saw the second kind: the root logger shows no INFO until somebody asks for it, and now the kit does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from otelkit.websockets.state import CURRENT_CONNECTION

SERVER_ACCESS = ("gunicorn.access", "uvicorn.access", "hypercorn.access", "granian.access", "django.server", "django.channels.server")
"""Loggers by which servers write a line per request: ``runserver`` the last two, with and without daphne."""

WEBSOCKET_SERVER = "uvicorn.error"
"""Logger by which uvicorn says that a websocket was accepted or turned away, beside what is none of that."""

_OF_RUNSERVER = '"%s" %s %s'
"""Its line for a request. By the same logger it says what it could not read, and who broke off."""


def is_no_access_line(record: logging.LogRecord) -> bool:
    """A filter for the loggers of :data:`SERVER_ACCESS`: lets through what tells of no request."""
    if record.name == "django.server":
        return record.msg != _OF_RUNSERVER
    return record.name == "django.channels.server" and not str(record.msg).startswith("HTTP ")


def is_no_websocket_line(record: logging.LogRecord) -> bool:
    """A filter for :data:`WEBSOCKET_SERVER`: drops what it says of a connection that the kit follows, with its whole path."""
    return CURRENT_CONNECTION.get() is None or '"WebSocket %s' not in str(record.msg)


def unconfigured(names: Iterable[str]) -> list[logging.Logger]:
    """Those of the loggers to which nobody gave a level or a handler."""
    found = map(logging.getLogger, names)
    return [
        logger
        for logger in found
        if logger.level == logging.NOTSET and all(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    ]
