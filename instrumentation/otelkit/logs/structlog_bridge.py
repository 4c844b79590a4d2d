"""structlog events as records of the standard library, each in the logger of the same name.

Why this way round: levels, handlers, filters, ``propagate`` and pytest's ``caplog`` then hold for structlog as they do for
everyone else, a line is written once wherever the handlers are, and one formatter makes it. The usual wiring
(``structlog.stdlib`` with ``ProcessorFormatter``) costs two passes; here the event's keys travel on the record untouched.

Why not structlog's native filtering logger: its level is fixed when a logger is first used, so ``LOGGING`` could not lower
the level of one package; and it formats positional arguments at once and unguarded, so a bad one raises into the caller. The bound
logger below asks the standard logger, which remembers the answer, and is as cheap.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn

import structlog
from opentelemetry.context import get_current
from structlog.typing import EventDict, WrappedLogger

from otelkit.logs.line import LEVELS, STRUCTLOG_EVENT
from otelkit.logs.trace_context import trace_keys
from otelkit.traces.contexts import parent_in

_ARGUMENTS = "positional_args"
"""Where structlog itself, too, keeps them until somebody formats them."""
_OUR_FRAMES = ("structlog.", __name__)
_LEVELS = {name: level for level, name in LEVELS.items()}


def add_trace_context(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:  # noqa: ARG001 - structlog's signature
    """A processor for a project's own structlog configuration: adds ``trace_id``, ``span_id`` and ``trace_sampled``."""
    event_dict.update(trace_keys(parent_in(get_current())))
    return event_dict


def configure_structlog() -> tuple[str, Callable[[], None]]:
    """Send structlog events through the standard library, unless the project configured structlog itself.

    Returns a sentence for the status, and what undoes the change. Loggers that were used in between keep the way they
    remember (structlog caches them in their module), and so go on reaching the standard library's handlers.
    """
    if structlog.is_configured():
        return (
            "structlog: left as the project configured it; put otelkit.logs.add_trace_context into its processors for trace ids",
            lambda: None,
        )
    structlog.configure(
        processors=[hand_over],  # A list, because structlog.testing.capture_logs changes it in place.
        wrapper_class=BoundLogger,
        logger_factory=standard_logger,
        cache_logger_on_first_use=True,
    )

    def undo() -> None:
        if structlog.get_config()["wrapper_class"] is BoundLogger:  # Otherwise somebody else's by now.
            structlog.reset_defaults()

    return "structlog: events go through the standard library's loggers of the same names", undo


def standard_logger(*args: Any) -> logging.Logger:
    """The standard logger that ``structlog.get_logger(*args)`` stands for: by name, else of the calling module."""
    if args and isinstance(args[0], str):
        return logging.getLogger(args[0])
    return logging.getLogger(str(_calling_frame().f_globals.get("__name__", "structlog")))


def hand_over(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> NoReturn:
    """The last processor: makes a record of the event and gives it to the standard logger's handlers.

    Raises ``structlog.DropEvent``, structlog's word for "nothing more to do".
    """
    level = _LEVELS.get(method_name, logging.INFO)
    frame = _calling_frame()
    code = frame.f_code
    record = logger.makeRecord(
        logger.name,
        level,
        code.co_filename,
        frame.f_lineno,
        event_dict.get("event", ""),
        (),
        _exc_info(event_dict.get("exc_info")),
        code.co_name,
        # One attribute for all: as attributes of their own, keys like `name` and `args` would collide with the record's.
        {STRUCTLOG_EVENT: event_dict},
        "".join(traceback.format_stack(frame)).rstrip("\n") if event_dict.get("stack_info") else None,
    )
    args = event_dict.get(_ARGUMENTS, ())
    # Past LogRecord.__init__, whose isinstance() wakes a lazy object; as there, one dict serves placeholders by name.
    record.args = args[0] if len(args) == 1 and type(args[0]) is dict and args[0] else args
    logger.handle(record)
    raise structlog.DropEvent


class BoundLogger(structlog.BoundLoggerBase):
    """The bound logger that ``structlog.get_logger()`` returns: levels are those of the standard logger, at each call.

    The ``a``-methods run at once instead of in a thread: writing the line is all there is to wait for, and the trace
    context and the caller are those of the moment.
    """

    _logger: logging.Logger

    def log(self, level: int, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at this level (10 debug to 50 critical)."""
        if self._logger.isEnabledFor(level):
            name = next((name for name, known in reversed(_LEVELS.items()) if known <= level), "debug")
            self._log(name, event, args, keys)

    def debug(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at DEBUG."""
        if self._logger.isEnabledFor(logging.DEBUG):
            self._log("debug", event, args, keys)

    def info(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at INFO."""
        if self._logger.isEnabledFor(logging.INFO):
            self._log("info", event, args, keys)

    def warning(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at WARNING."""
        if self._logger.isEnabledFor(logging.WARNING):
            self._log("warning", event, args, keys)

    def error(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at ERROR."""
        if self._logger.isEnabledFor(logging.ERROR):
            self._log("error", event, args, keys)

    def critical(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at CRITICAL."""
        if self._logger.isEnabledFor(logging.CRITICAL):
            self._log("critical", event, args, keys)

    def exception(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Log ``event % args`` at ERROR, with the exception that is being handled."""
        keys.setdefault("exc_info", True)
        self.error(event, *args, **keys)

    def _log(self, name: str, event: Any, args: tuple[Any, ...], keys: dict[str, Any]) -> None:
        if args:
            keys[_ARGUMENTS] = args
        self._proxy_to_logger(name, event, **keys)

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of this level would be written."""
        return self._logger.isEnabledFor(level)

    def get_effective_level(self) -> int:
        """The level of the standard logger."""
        return self._logger.getEffectiveLevel()

    async def alog(self, level: int, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`log`."""
        self.log(level, event, *args, **keys)

    async def adebug(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`debug`."""
        self.debug(event, *args, **keys)

    async def ainfo(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`info`."""
        self.info(event, *args, **keys)

    async def awarning(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`warning`."""
        self.warning(event, *args, **keys)

    async def aerror(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`error`."""
        self.error(event, *args, **keys)

    async def acritical(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`critical`."""
        self.critical(event, *args, **keys)

    async def aexception(self, event: Any = None, *args: Any, **keys: Any) -> None:
        """Like :meth:`exception`."""
        self.exception(event, *args, **keys)

    msg, warn, fatal = info, warning, critical
    amsg, awarn, afatal = ainfo, awarning, acritical


def _exc_info(given: object) -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    if isinstance(given, tuple) and len(given) == 3:
        given = given[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    return (type(given), given, given.__traceback__) if isinstance(given, BaseException) else None


def _calling_frame() -> FrameType:
    """The frame nearest to the call that is neither structlog's nor this module's."""
    frame = sys._getframe(1)
    while (before := frame.f_back) is not None and str(frame.f_globals.get("__name__", "")).startswith(_OUR_FRAMES):
        frame = before
    return frame
