"""Puts the lines where the settings want them, and takes everything back again.

A project's own handlers stay. Where the project has none on the root logger, one is added and Django's own console
handlers step aside; where it has some, only the formatter of those that print to stdout or stderr is exchanged.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import structlog.stdlib

from otelkit.catalog.logs import ACCESS_LOGGER
from otelkit.logs.console import LastResortHandler, StdoutHandler
from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.item import LogItem
from otelkit.logs.otlp import OTLPHandler
from otelkit.logs.structlog_bridge import configure_structlog

_OWN_LOGGER = "otelkit"
_STANDARD_STREAMS = (1, 2)
_OBSERVERS = ("opentelemetry.", "sentry_sdk.", "logfire.", "ddtrace.")


class LogSettings(Protocol):
    """What this module needs to know; ``OTELKIT["logs"]`` has it."""

    @property
    def exporters(self) -> tuple[str, ...]:
        """``"console"`` for lines on stdout, ``"otlp"`` for records to the endpoint; both, or none."""

    @property
    def format(self) -> str:
        """``"json"`` or ``"text"``."""

    @property
    def level(self) -> str:
        """Name of the level of the root logger, where the project did not configure that itself."""


class Installation:
    """What :func:`install` did: sentences about it, and the way back."""

    def __init__(self, undo: list[Callable[[], None]], notes: tuple[str, ...], formatters: Sequence[logging.Formatter] = ()) -> None:
        self._undo = undo
        self._formatters = formatters
        self.notes = notes
        """One sentence for each thing that a reader of ``otelkit status`` should know."""

    def rename(self, resource: Mapping[str, str]) -> None:
        """Repeat this resource in each JSON line from now on."""
        for formatter in self._formatters:
            if isinstance(formatter, JSONFormatter):
                formatter.rename(resource)

    def remove(self) -> None:
        """Restore handlers, formatters, levels and structlog. What others changed in the meantime stays. Twice is once."""
        while self._undo:
            self._undo.pop()()


def install(settings: LogSettings, resource: Mapping[str, str], emit_item: Callable[[LogItem], None] | None) -> Installation:
    """Send log lines to the exporters of ``settings``.

    ``resource`` is repeated in each JSON line in its short form. ``emit_item`` takes the records of the ``"otlp"``
    exporter and must not block; with None there is no such exporter. Call it after ``django.setup()`` has applied
    ``LOGGING``. Raises ValueError for a level that logging does not know.
    """
    wiring = _Wiring()
    to_console = "console" in settings.exporters
    to_otlp = "otlp" in settings.exporters and emit_item is not None
    if not (to_console or to_otlp):
        return Installation([], ("logs: left alone, no exporter is chosen",))
    level = _level(settings.level)
    root = logging.getLogger()
    is_root_free = all(_is_mute(handler) for handler in root.handlers)
    if is_root_free:
        wiring.set_level(root, level)
    if to_console and is_root_free:
        _print_from_root(wiring, settings, resource)
    if to_console:
        _exchange_formatters(wiring, settings, resource)
    if to_otlp and emit_item is not None:
        _send(wiring, emit_item, keeps_last_resort=is_root_free and not to_console)
    # Access lines have a switch of their own; the level of the root logger must not be a second one.
    access = logging.getLogger(ACCESS_LOGGER)
    if access.level == logging.NOTSET:
        wiring.set_level(access, logging.INFO)
    note, undo = configure_structlog()
    wiring.done(note, undo)
    return Installation(wiring.undo, tuple(wiring.notes), wiring.formatters)


class _Wiring:
    """Changes to the logging tree, each with what undoes it."""

    def __init__(self) -> None:
        self.undo: list[Callable[[], None]] = []
        self.notes: list[str] = []
        self.formatters: list[logging.Formatter] = []

    def done(self, note: str, undo: Callable[[], None]) -> None:
        self.notes.append(note)
        self.undo.append(undo)

    def add_handler(self, logger: logging.Logger, handler: logging.Handler) -> None:
        logger.addHandler(handler)
        self.undo.append(lambda: logger.removeHandler(handler))

    def take_handler(self, logger: logging.Logger, handler: logging.Handler) -> None:
        place = logger.handlers.index(handler)
        logger.removeHandler(handler)

        def put_back() -> None:
            if handler not in logger.handlers:
                logger.handlers.insert(place, handler)

        self.undo.append(put_back)

    def set_formatter(self, handler: logging.Handler, formatter: logging.Formatter) -> None:
        before = handler.formatter
        handler.setFormatter(formatter)
        self.formatters.append(formatter)
        self.undo.append(lambda: handler.setFormatter(before) if handler.formatter is formatter else None)

    def set_level(self, logger: logging.Logger, level: int) -> None:
        before = logger.level
        logger.setLevel(level)
        self.undo.append(lambda: logger.setLevel(before) if logger.level == level else None)

    def set_propagate(self, logger: logging.Logger) -> None:
        logger.propagate = True

        def restore() -> None:
            logger.propagate = False

        self.undo.append(restore)


def _print_from_root(wiring: _Wiring, settings: LogSettings, resource: Mapping[str, str]) -> None:
    handler = StdoutHandler()
    wiring.set_formatter(handler, _formatter(settings, resource, sys.stdout))
    # runserver's lines have a handler and a style of their own; they are lines like all others now.
    server = logging.getLogger("django.server")
    if not server.propagate and any(_prints(own) for own in server.handlers):
        wiring.set_propagate(server)
    aside = []
    for logger in _loggers():
        if _reaches_root(logger):
            for own in [own for own in logger.handlers if _prints(own)]:
                wiring.take_handler(logger, own)  # Its lines arrive at the root logger, and would be printed twice.
                aside.append(logger.name)
    wiring.add_handler(logging.getLogger(), handler)
    stepped = f"; the console handlers of {', '.join(aside)} step aside for it" if aside else ""
    wiring.notes.append(f"logs: {settings.format} lines on stdout, by a handler on the root logger, where the project has none{stepped}")


def _exchange_formatters(wiring: _Wiring, settings: LogSettings, resource: Mapping[str, str]) -> None:
    exchanged: list[str] = []
    kept: list[str] = []
    seen: set[logging.Handler] = set()
    for logger in (logging.getLogger(), *_loggers()):
        for handler in logger.handlers:
            if handler in seen or isinstance(handler, StdoutHandler):
                continue
            seen.add(handler)
            if not _prints(handler):
                if isinstance(handler, logging.StreamHandler):
                    kept.append(f"{type(handler).__name__} on {logger.name}")
            elif isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
                # It renders the project's structlog events, which our formatter could not read.
                kept.append(f"structlog's ProcessorFormatter on {logger.name}")
            else:
                wiring.set_formatter(handler, _formatter(settings, resource, getattr(handler, "stream", None)))
                exchanged.append(logger.name)
    if exchanged:
        wiring.notes.append(f"logs: {settings.format} lines through the project's own console handlers on {', '.join(sorted(exchanged))}")
    if "root" not in exchanged and not any(isinstance(handler, StdoutHandler) for handler in logging.getLogger().handlers):
        wiring.notes.append(
            "logs: the project's own handlers on the root logger print nothing; add a StreamHandler there for lines on stdout"
        )
    if kept:
        wiring.notes.append(f"logs: left as they are, so without trace ids and redaction: {', '.join(kept)}")


def _send(wiring: _Wiring, emit_item: Callable[[LogItem], None], *, keeps_last_resort: bool) -> None:
    handler = OTLPHandler(emit_item)
    # One without handlers is left alone: with ours, Python would no longer print its warnings as a last resort.
    deaf = [logger for logger in _loggers() if not logger.propagate and logger.handlers]
    for logger in (logging.getLogger(), *deaf):
        wiring.add_handler(logger, handler)
    also = f", also from {', '.join(logger.name for logger in deaf)} (they do not propagate)" if deaf else ""
    wiring.notes.append(f"logs: records to the OTLP endpoint{also}")
    if keeps_last_resort:
        wiring.add_handler(logging.getLogger(), LastResortHandler(frozenset({handler})))
        wiring.notes.append("logs: warnings that no handler of the project prints still go to stderr, as Python's last resort")


def _formatter(settings: LogSettings, resource: Mapping[str, str], stream: Any) -> logging.Formatter:
    if settings.format == "text":
        is_terminal = bool(getattr(stream, "isatty", bool)())
        return TextFormatter(colour=is_terminal and not os.environ.get("NO_COLOR"))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return JSONFormatter(resource, ascii_only="utf" not in encoding.lower())


def _is_mute(handler: logging.Handler) -> bool:
    """Whether the handler shows nobody anything: those that observability packages put on the root logger do not count."""
    return isinstance(handler, logging.NullHandler) or type(handler).__module__.startswith(_OBSERVERS)


def _prints(handler: logging.Handler) -> bool:
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


def _loggers() -> Iterator[logging.Logger]:
    """Every named logger but the kit's own, which print in their own way."""
    known = list(logging.getLogger().manager.loggerDict.items())
    return (
        logger
        for name, logger in sorted(known, key=lambda item: item[0])
        if isinstance(logger, logging.Logger) and name != _OWN_LOGGER and not name.startswith(f"{_OWN_LOGGER}.")
    )


def _reaches_root(logger: logging.Logger) -> bool:
    current: logging.Logger | None = logger
    while current is not None and current.parent is not None:
        if not current.propagate:
            return False
        current = current.parent
    return True


def _level(name: str) -> int:
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise ValueError(f"{name!r} is not a level of logging. Take DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return level
