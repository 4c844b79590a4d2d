"""The logging tree as it stands: which loggers there are, whose lines reach the root, and which handlers show them to somebody."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

OWN_LOGGER = "otelkit"
_STANDARD_STREAMS = (1, 2)
_OBSERVERS = ("opentelemetry.", "sentry_sdk.", "logfire.", "ddtrace.")


def loggers() -> Iterator[logging.Logger]:
    """Every named logger but the kit's own, which print in their own way."""
    return (logger for name, logger in _known() if not _is_own(name))


def is_of_observer(logger: logging.Logger) -> bool:
    """Whether an observability package logs there about itself, which no project configures."""
    return logger.name.startswith(_OBSERVERS)


def own_loggers() -> Iterator[logging.Logger]:
    """The kit's own, those that somebody asked for so far."""
    return (logger for name, logger in _known() if _is_own(name))


def _known() -> list[tuple[str, logging.Logger]]:
    found = [(name, logger) for name, logger in logging.getLogger().manager.loggerDict.items() if isinstance(logger, logging.Logger)]
    return sorted(found, key=lambda item: item[0])


def _is_own(name: str) -> bool:
    return name == OWN_LOGGER or name.startswith(f"{OWN_LOGGER}.")


def reaches_root(logger: logging.Logger) -> bool:
    """Whether the root logger's handlers see its lines."""
    current: logging.Logger | None = logger
    while current is not None and current.parent is not None:
        if not current.propagate:
            return False
        current = current.parent
    return True


def prints(handler: logging.Handler) -> bool:
    """Whether the handler writes to stdout or stderr."""
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    if any(handler.stream is stream for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
        return True
    try:
        # Servers wrap or replace the two after logging took hold of them.
        return handler.stream.fileno() in _STANDARD_STREAMS
    except (AttributeError, OSError, ValueError):
        return False


def is_mute(handler: logging.Handler) -> bool:
    """Whether the handler shows nobody anything: those that observability packages put on the root logger do not count."""
    return isinstance(handler, logging.NullHandler) or type(handler).__module__.startswith(_OBSERVERS)
