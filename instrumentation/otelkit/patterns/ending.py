"""How a relay or a consumer is told to end: SIGTERM or Ctrl-C, after what is under way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context


@contextmanager
def until_told() -> Iterator[Event]:
    """An event that is set by SIGTERM and SIGINT; a second signal does what it did before. Outside of the main thread nobody can tell.

    Inside, no span is current: a loop that runs for days is no trace, and what it asks the database belongs to none.
    """
    ending = Event()
    before: dict[int, Any] = {}

    def tell(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the shape of a signal handler)
        ending.set()
        restore()

    def restore() -> None:
        while before:
            number, handler = before.popitem()
            signal.signal(number, handler)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.getsignal(number) or signal.SIG_DFL
            signal.signal(number, tell)
    outer = context.attach(Context())
    try:
        yield ending
    finally:
        context.detach(outer)
        restore()
