"""A question that may take long, like one to a database: asked in a thread of its own, again and again, and only while somebody collects.

Nobody waits for the answer: a collection shows the last one. A database that is down, or does not answer at all, costs the answer and one
warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from opentelemetry import context

from otelkit.traces.suppression import suppressed

PATIENCE = 10.0
"""Seconds after which an answer is late: there is none then, and nobody asks a second time meanwhile."""

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """The last answer, and the thread that fetches the next one."""

    def __init__(
        self,
        ask: Callable[[], Answer],
        nothing: Answer,
        warn: Callable[[str], None],
        *,
        thread: str,
        first_after: float,
        every: float,
        is_ready: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``ask`` may block, and may raise; the answer is ``nothing`` then, and ``warn`` is told why, once until it answers again.

        It is asked ``first_after`` seconds after the start, if ``is_ready`` says so, and then ``every`` so many seconds.
        """
        self._ask = ask
        self._nothing = nothing
        self._warn = warn
        self._thread = thread
        self._every = every
        self._is_ready = is_ready
        self._clock = clock
        self._lock = Lock()
        self.restart(first_after)

    def restart(self, first_after: float) -> None:
        """Nothing is known, and nobody was asked."""
        self._first_after = first_after
        self._pid = os.getpid()
        self._is_asking = False  # not whether a thread is alive: it is so for a moment after its answer
        self._asked_at = self._clock() + first_after - self._every
        self._answer = self._nothing
        self._has_warned = False

    def answer(self) -> Answer:
        """What is known now; asks again where that is old."""
        if self._pid != os.getpid():  # a fork has taken over a thread, and perhaps a lock, that nobody here has
            self._lock = Lock()
            self.restart(self._first_after)
        with self._lock:
            # Read before anybody is asked: a quick answer belongs to the next collection, as a slow one does.
            answer = self._answer
            waited = self._clock() - self._asked_at
            if self._is_asking:
                if waited > PATIENCE:
                    answer = self._answer = self._nothing
                    self._complain(f"it has not answered within {PATIENCE:g} seconds")
            elif waited >= self._every and self._is_ready():
                self._begin()
            return answer

    def _begin(self) -> None:
        self._asked_at = self._clock()
        self._is_asking = True
        try:
            Thread(target=self._fetch, name=self._thread, daemon=True).start()
        except RuntimeError:  # the interpreter is ending, and starts no threads any more
            self._is_asking = False

    def _fetch(self) -> None:
        context.attach(suppressed())  # what is asked here is nobody's query
        try:
            self._answer = self._ask()
            self._has_warned = False
        except Exception as error:  # noqa: BLE001  (a driver that lacks, a database that is away, tables that are not there yet)
            self._answer = self._nothing
            self._complain(type(error).__name__)
        finally:
            self._is_asking = False

    def _complain(self, why: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._warn(why)
