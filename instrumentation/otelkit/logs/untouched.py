"""Whether anybody could see a record that the kit's own handler alone would print: then there has to be one."""

from __future__ import annotations

import logging

from otelkit.logs.console import StderrHandler, StdoutHandler
from otelkit.logs.formatter import JSONFormatter

_KINDS = frozenset({StdoutHandler, StderrHandler})

# What packages replace that want to see every record, as it was when the kit was imported.
_make_record, _handle, _call_handlers = logging.Logger.makeRecord, logging.Logger.handle, logging.Logger.callHandlers
_filter, _handle_by_handler = logging.Filterer.filter, logging.Handler.handle
_emit, _format = StdoutHandler.emit, JSONFormatter.format
_WAS_UNTOUCHED = all(
    getattr(getattr(hook, "__code__", None), "co_filename", None) == logging.Logger.log.__code__.co_filename
    for hook in (_make_record, _handle, _call_handlers, _filter, _handle_by_handler)
)
"""False where somebody was here before us."""


def only_printer(logger: logging.Logger, level: int) -> tuple[StdoutHandler, JSONFormatter] | None:
    """The kit's own handler with its formatter, where a record of this logger and level would reach that one and nothing else.

    None where anybody could see, change or refuse the record: another handler, a filter, a formatter or record factory of the project's,
    or a package that put its own functions into ``logging``. Asked for each line, because all of this may change while the program runs.
    """
    own = logger
    while (parent := own.parent) is not None:
        if own.handlers or not own.propagate:
            return None
        own = parent
    if len(own.handlers) != 1 or logger.filters:
        return None
    handler = own.handlers[0]
    if type(handler) not in _KINDS or handler.filters or handler.level > level:
        return None
    formatter = handler.formatter
    if type(formatter) is not JSONFormatter or not _is_untouched(logger, handler, formatter):
        return None
    return handler, formatter  # type: ignore[return-value]  # mypy does not narrow by `type() in`


def _is_untouched(logger: logging.Logger, handler: logging.Handler, formatter: JSONFormatter) -> bool:
    kind = type(logger)
    of_logger, of_handler = logger.__dict__, handler.__dict__
    return (
        kind.callHandlers is _call_handlers
        and kind.handle is _handle
        and kind.makeRecord is _make_record
        and kind.filter is _filter
        and logging.Handler.handle is _handle_by_handler
        and StdoutHandler.emit is _emit
        and JSONFormatter.format is _format
        and logging.getLogRecordFactory() is logging.LogRecord
        # One object's own, as tests put them there.
        and not ("makeRecord" in of_logger or "handle" in of_logger or "callHandlers" in of_logger or "filter" in of_logger)
        and not ("handle" in of_handler or "emit" in of_handler or "format" in of_handler or "filter" in of_handler)
        and "format" not in formatter.__dict__
        and _WAS_UNTOUCHED
    )
