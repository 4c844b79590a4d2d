"""Puts the lines where the settings want them, and takes everything back again.

A project's own handlers stay. Where the project has none on the root logger, one is added and Django's own console
handlers step aside; where it has some, only the formatter of those that print to stdout or stderr is exchanged.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog.stdlib

from otelkit.catalog.logs import ACCESS_LOGGER
from otelkit.logs.console import LastResortHandler, StderrHandler, StdoutHandler
from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.item import LogItem
from otelkit.logs.noise import SERVER_ACCESS, WEBSOCKET_SERVER, is_no_access_line, is_no_websocket_line, unconfigured
from otelkit.logs.otlp import OTLPHandler
from otelkit.logs.structlog_bridge import configure_structlog
from otelkit.logs.tree import is_mute, loggers, prints, reaches_root
from otelkit.notes import off


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

    @property
    def stream(self) -> str:
        """``"stderr"``, or anything else for stdout: where lines are printed, where the project did not configure that itself."""

    @property
    def server_access(self) -> bool:
        """Whether the server's own access lines are kept."""

    @property
    def quiet(self) -> tuple[str, ...]:
        """Loggers that write warnings only, where the project gave them no level."""


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
        return Installation([], (off("logs: left alone, no exporter is chosen"),))
    level = _level(settings.level)
    root = logging.getLogger()
    is_root_free = all(is_mute(handler) for handler in root.handlers)
    if is_root_free:
        wiring.set_level(root, level)
        _hush(wiring, settings.quiet, level)
    if to_console and is_root_free:
        _print_from_root(wiring, settings, resource)
    if to_console:
        _exchange_formatters(wiring, settings, resource)
        if not settings.server_access:
            _drop_access_lines(wiring)
    if not settings.server_access:
        wiring.add_filter(logging.getLogger(WEBSOCKET_SERVER), is_no_websocket_line)
    if to_otlp and emit_item is not None:
        left_out = () if settings.server_access else SERVER_ACCESS
        _send(wiring, emit_item, left_out, keeps_last_resort=is_root_free and not to_console)
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
        self.own: list[logging.Handler] = []
        """Handlers that were added here. A project may have some of the same class, by dict_config()."""
        self.formatters: list[logging.Formatter] = []

    def done(self, note: str, undo: Callable[[], None]) -> None:
        self.notes.append(note)
        self.undo.append(undo)

    def add_handler(self, logger: logging.Logger, handler: logging.Handler) -> None:
        logger.addHandler(handler)
        self.own.append(handler)
        self.undo.append(lambda: logger.removeHandler(handler))

    def mute_handler(self, handler: logging.Handler) -> None:
        # It stays where it is: the project may look for it there, and Django's own test helper does.
        handler.addFilter(_is_not_for_root)
        self.undo.append(lambda: handler.removeFilter(_is_not_for_root))

    def set_formatter(self, handler: logging.Handler, formatter: logging.Formatter) -> None:
        before = handler.formatter
        handler.setFormatter(formatter)
        self.formatters.append(formatter)
        self.undo.append(lambda: handler.setFormatter(before) if handler.formatter is formatter else None)

    def set_level(self, logger: logging.Logger, level: int) -> None:
        before = logger.level
        logger.setLevel(level)
        self.undo.append(lambda: logger.setLevel(before) if logger.level == level else None)

    def add_filter(self, logger: logging.Logger, passes: Callable[[logging.LogRecord], bool]) -> None:
        logger.addFilter(passes)
        self.undo.append(lambda: logger.removeFilter(passes))

    def set_propagate(self, logger: logging.Logger) -> None:
        logger.propagate = True

        def restore() -> None:
            logger.propagate = False

        self.undo.append(restore)


def _hush(wiring: _Wiring, names: Iterable[str], level: int) -> None:
    if level < logging.WARNING and (hushed := unconfigured(names)):
        for logger in hushed:
            wiring.set_level(logger, logging.WARNING)
        wiring.notes.append("logs: of libraries that say every call at INFO only warnings are written (setting logs.quiet)")


def _drop_access_lines(wiring: _Wiring) -> None:
    for name in SERVER_ACCESS:
        wiring.add_filter(logging.getLogger(name), is_no_access_line)
    wiring.notes.append("logs: access lines of the server itself are dropped, because the kit writes its own (setting logs.server_access)")


def _print_from_root(wiring: _Wiring, settings: LogSettings, resource: Mapping[str, str]) -> None:
    handler = StderrHandler() if settings.stream == "stderr" else StdoutHandler()
    wiring.set_formatter(handler, _formatter(settings, resource, handler.stream))
    # runserver's lines have a handler and a style of their own; they are lines like all others now.
    server = logging.getLogger("django.server")
    if not server.propagate and any(prints(own) for own in server.handlers):
        wiring.set_propagate(server)
    aside = []
    for logger in loggers():
        if reaches_root(logger):
            for own in [own for own in logger.handlers if prints(own)]:
                wiring.mute_handler(own)  # Its lines arrive at the root logger, and would be printed twice.
                aside.append(logger.name)
    wiring.add_handler(logging.getLogger(), handler)
    stepped = f"; the console handlers of {', '.join(aside)} step aside for it" if aside else ""
    wiring.notes.append(
        f"logs: {settings.format} lines on {handler.name_of_stream}, by a handler on the root logger, where the project has none{stepped}"
    )


def _exchange_formatters(wiring: _Wiring, settings: LogSettings, resource: Mapping[str, str]) -> None:
    exchanged: list[str] = []
    kept: list[str] = []
    seen: set[logging.Handler] = set()
    for logger in (logging.getLogger(), *loggers()):
        for handler in logger.handlers:
            if handler in seen or handler in wiring.own or (_is_not_for_root in handler.filters and reaches_root(logger)):
                continue
            seen.add(handler)
            if not prints(handler):
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


def _send(wiring: _Wiring, emit_item: Callable[[LogItem], None], left_out: Collection[str], *, keeps_last_resort: bool) -> None:
    handler = OTLPHandler(emit_item)
    # One without handlers is left alone: with ours, Python would no longer print its warnings as a last resort.
    deaf = [logger for logger in loggers() if not logger.propagate and logger.handlers and logger.name not in left_out]
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


def _is_not_for_root(record: logging.LogRecord) -> bool:
    """A filter: whether nobody prints the record if its handler does not. The handler may be on a logger that does not propagate too."""
    return not reaches_root(logging.getLogger(record.name))


def _level(name: str) -> int:
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise ValueError(f"{name!r} is not a level of logging. Take DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    return level
