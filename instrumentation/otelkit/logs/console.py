"""Handlers that print: lines on stdout, and what Python would have printed without us."""

from __future__ import annotations

import logging
import sys
from typing import TextIO


class StdoutHandler(logging.StreamHandler[TextIO]):
    """Prints on whatever ``sys.stdout`` is at the time. A stream that breaks never raises into the code that logs."""

    name_of_stream = "stdout"

    def __init__(self) -> None:
        # Past StreamHandler.__init__, which would keep today's stream: test runners and daemons replace it.
        logging.Handler.__init__(self)
        self.failures = 0
        """Lines that stdout did not take."""

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # a variable there; logging's own lastResort does the same
        """The current ``sys.stdout``; behind a Celery worker's, which makes a log line of all that is printed."""
        return _real(sys.stdout, sys.__stdout__)

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line, on stderr where stdout is closed, full or gone."""
        self._print(self.format(record) + self.terminator)

    def print_line(self, line: str) -> None:
        """The same with a line that is text already."""
        if self.lock is None:
            self._print(line + self.terminator)
        else:
            with self.lock:
                self._print(line + self.terminator)

    def _print(self, text: str) -> None:
        stream: TextIO | None = self.stream  # None in a process without a console.
        if stream is not None:
            if _was_printed(stream, text):
                return
            self.failures += 1
        if sys.stderr is not None:
            _was_printed(sys.stderr, text)

    def flush(self) -> None:
        """Nothing: each line is flushed when it is printed, and a closed stream must not fail ``logging.shutdown()``."""


class StderrHandler(StdoutHandler):
    """Prints on ``sys.stderr``: for commands, whose standard output is what somebody asked for."""

    name_of_stream = "stderr"

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The current ``sys.stderr``, as above."""
        return _real(sys.stderr, sys.__stderr__)


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


def _real(current: TextIO, original: TextIO | None) -> TextIO:
    return original if original is not None and type(current).__module__.startswith("celery.") else current


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
