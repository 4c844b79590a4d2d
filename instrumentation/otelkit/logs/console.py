"""Handlers that print: lines on stdout, and what Python would have printed without us."""

from __future__ import annotations

import logging
import sys
from typing import TextIO


class StdoutHandler(logging.StreamHandler[TextIO]):
    """Prints on whatever ``sys.stdout`` is at the time. A stream that breaks never raises into the code that logs."""

    def __init__(self) -> None:
        # Past StreamHandler.__init__, which would keep today's stream: test runners and daemons replace it.
        logging.Handler.__init__(self)
        self.failures = 0
        """Lines that stdout did not take."""

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # a variable there; logging's own lastResort does the same
        """The current ``sys.stdout``."""
        return sys.stdout

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line, on stderr where stdout is closed, full or gone."""
        self._print(self.format(record) + self.terminator)

    def print_line(self, line: str) -> None:
        """The same with a line that is text already. Without the handler's lock, as print() does: a line is one writing."""
        self._print(line + self.terminator)

    def _print(self, text: str) -> None:
        stdout = sys.stdout  # None in a process without a console.
        if stdout is not None:
            if _was_printed(stdout, text):
                return
            self.failures += 1
        if sys.stderr is not None:
            _was_printed(sys.stderr, text)

    def flush(self) -> None:
        """Nothing: each line is flushed when it is printed, and a closed stream must not fail ``logging.shutdown()``."""


# What packages replace that want to see every record.
_kind = logging.Logger
_make_record, _handle, _call_handlers, _handle_by_handler = _kind.makeRecord, _kind.handle, _kind.callHandlers, logging.Handler.handle
_IS_UNTOUCHED = all(
    getattr(hook, "__code__", _kind.log.__code__).co_filename == logging.__file__
    for hook in (_make_record, _handle, _call_handlers, _handle_by_handler)
)
"""False where somebody was here before us."""


def only_printer(logger: logging.Logger, level: int) -> StdoutHandler | None:
    """The kit's own handler, where a record of this logger and level would reach that one and nothing else.

    None where anybody could see, change or refuse the record: another handler, a filter, a record factory, or a package that put its own
    functions into ``logging``. Asked for each line, because all of this may change while the program runs.
    """
    own = logger
    while (parent := own.parent) is not None:
        if own.handlers or not own.propagate:
            return None
        own = parent
    if len(own.handlers) != 1 or logger.filters:
        return None
    handler = own.handlers[0]
    if type(handler) is not StdoutHandler or handler.filters or handler.level > level or not _is_untouched(type(logger)):
        return None
    return handler


def _is_untouched(kind: type[logging.Logger]) -> bool:
    return (
        kind.callHandlers is _call_handlers
        and kind.handle is _handle
        and kind.makeRecord is _make_record
        and logging.Handler.handle is _handle_by_handler
        and logging.getLogRecordFactory() is logging.LogRecord
        and _IS_UNTOUCHED
    )


class LastResortHandler(logging.Handler):
    """Prints on stderr the warnings that Python prints where no handler is configured, and stops printing once one is.

    Our OTLP handler on the root logger makes Python believe that somebody reads the warnings already.
    """

    def __init__(self, ours: frozenset[logging.Handler]) -> None:
        """``ours`` are the handlers that do not count as somebody."""
        super().__init__(logging.WARNING)
        self._ours = ours | {self}

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message as ``logging.lastResort`` does, unless a handler of the project has it."""
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if not self._ours.issuperset(logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        if logging.lastResort is not None and record.levelno >= logging.lastResort.level:
            logging.lastResort.handle(record)


def _was_printed(stream: TextIO, text: str) -> bool:
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()
    except Exception:  # noqa: BLE001 - OSError of a full disk, ValueError of a closed file, or a replaced stream's own
        return False
    return True
