"""How far long work has come, for whoever watches: one line of a terminal that is written over."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_EVERY_S = 0.2


class Progress:
    """Says ``what`` and a number on ``out`` a few times a second; nothing where that is no terminal."""

    def __init__(self, what: str, out: TextIO = sys.stderr) -> None:
        self._what = what
        self._out = out
        self._is_watched = out.isatty()
        self._said_at = 0.0
        self.count = 0

    def add(self, count: int) -> None:
        """More is done."""
        self.count += count
        if self._is_watched and time.monotonic() - self._said_at >= _EVERY_S:
            self._said_at = time.monotonic()
            self._out.write(f"\r{self._what}: {self.count:,}")
            self._out.flush()

    def end(self) -> None:
        """Leave the line as it is, with the last number."""
        if self._is_watched:
            self._out.write(f"\r{self._what}: {self.count:,}\n")
            self._out.flush()
