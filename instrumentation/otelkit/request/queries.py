"""Database work of one request: how many queries, how long, and which statements came again and again."""

from __future__ import annotations

from asyncio import Task
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import ref

from otelkit.catalog import logs as keys

MOST_SHAPES = 1000
"""Statement shapes that one request follows. A request with more still counts every query, but takes new shapes for no repeats."""


@dataclass(slots=True)
class Repeated:
    """A statement that one request ran so often that it is an N+1."""

    summary: str
    """``SELECT orders_order``."""
    text: str
    """The statement without its values."""
    caller: str | None
    """``orders/views.py:42``, where a line of the project is known."""
    count: int


class Queries:
    """Counts, kept by every thread that works for the request."""

    __slots__ = ("_lock", "_repeats", "_runs", "count", "duplicates", "duration", "task")

    def __init__(self) -> None:
        self.count = 0
        """Queries of the application; transaction control is not counted."""
        self.duplicates = 0
        """Queries whose statement ran more than once, first runs included: 1 + N queries are N duplicates."""
        self.duration = 0.0
        """Seconds, transaction control included."""
        self.task: ref[Task[Any]] | None = None
        """The task that answers the request, in async projects."""
        self._runs: dict[str, int] = {}
        self._repeats: dict[str, Repeated] = {}
        self._lock = Lock()

    def add(self, shape: str, elapsed: float) -> int:
        """Counts one query of ``elapsed`` seconds, and says how often its shape has run by now."""
        lock = self._lock
        lock.acquire()  # a `with` costs twice as much
        try:
            self.count += 1
            self.duration += elapsed
            runs = self._runs.get(shape, 0) + 1
            if runs > 1:
                self.duplicates += 1 if runs > 2 else 2
            elif len(self._runs) >= MOST_SHAPES:
                return 1
            self._runs[shape] = runs
            return runs
        finally:
            lock.release()

    def add_transaction_control(self, elapsed: float) -> None:
        """Counts the time of a BEGIN, SAVEPOINT or the like: time in the database, but no query of the application's."""
        with self._lock:
            self.duration += elapsed

    def mark(self, shape: str, found: Repeated) -> None:
        """Remembers that this shape is an N+1, from now on."""
        with self._lock:
            self._repeats[shape] = found

    def repeats(self) -> list[Repeated]:
        """Every N+1 of the request, worst first."""
        if not self._repeats:
            return []
        with self._lock:
            for shape, found in self._repeats.items():
                found.count = self._runs[shape]
            return sorted(self._repeats.values(), key=lambda found: -found.count)

    def worst(self) -> dict[str, str | int]:
        """What the span and the access line say about the statement that ran most often, where that is an N+1; else nothing."""
        for found in self.repeats():
            said: dict[str, str | int] = {keys.DB_QUERY_REPEATED_TEXT: found.text, keys.DB_QUERY_REPEATED_COUNT: found.count}
            return said | {keys.DB_QUERY_REPEATED_CALLER: found.caller} if found.caller else said
        return {}
