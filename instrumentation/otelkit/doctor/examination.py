"""What one examination knows so far, for the hops that come after."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from otelkit import startup
from otelkit.checks import Project
from otelkit.config import Config
from otelkit.doctor.listening import ListeningSender
from otelkit.logs.tree import loggers, prints


class Examination:
    """One run of the doctor. Hops read what earlier ones left here."""

    def __init__(self, project: Project, timeout: float) -> None:
        self.project = project
        self.timeout = timeout
        """Seconds that each answer is waited for."""
        self.sender: ListeningSender | None = None
        self.runtime: startup.Runtime | None = None
        self.trace_id = ""
        """Of the marked request, as the service recorded it; empty where it made no span."""
        self.mark = f"doctor-{secrets.token_hex(4)}"
        """Stands in a log line of this examination, and in no other's."""
        self.is_over = False
        """Whether what failed leaves nothing to look at for the hops behind it."""
        self.undo = ExitStack()

    @property
    def config(self) -> Config:
        """The project's configuration."""
        return self.project.config

    def exporters(self, signal: str) -> tuple[str, ...]:
        """Where the signal goes."""
        found: tuple[str, ...] = getattr(self.config, signal).exporters
        return found


@contextmanager
def quiet_terminal() -> Iterator[None]:
    """Keeps log lines off the terminal, where the hops are being listed; over OTLP they go as ever."""
    taker = logging.NullHandler()  # on the root logger, or Python would print warnings as a last resort
    root = logging.getLogger()
    printing = {handler for logger in (root, *loggers()) for handler in logger.handlers if prints(handler)}
    root.addHandler(taker)
    for handler in printing:
        handler.addFilter(_nothing)
    try:
        yield
    finally:
        for handler in printing:
            handler.removeFilter(_nothing)
        root.removeHandler(taker)


def _nothing(_: logging.LogRecord) -> bool:
    return False
