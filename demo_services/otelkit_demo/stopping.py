"""Being asked to stop: Ctrl-C, SIGTERM and a closed terminal all mean the same."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """While this context is open, a signal sets ``requested`` instead of raising. A second one calls ``again``."""

    def __init__(self, again: Callable[[], None]) -> None:
        # A plain flag: an Event's lock could be held by the very thread that the handler interrupts.
        self.requested = False
        self._again = again
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started with nohup: a closed terminal is not to end it
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            self._again()
        self.requested = True
