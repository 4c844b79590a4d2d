"""Retries that cannot make an outage worse: few, spread by full jitter, within a budget and the caller's deadline.

Ours, because stamina 26 has neither a budget nor a deadline, and its jitter is added to the wait instead of spread over all of it. Who has
stamina already reports by :func:`otelkit.patterns.resilience.retried`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from otelkit.patterns.jitter import full_jitter
from otelkit.patterns.resilience.deadline import remaining
from otelkit.patterns.resilience.recording import budget_exhausted, note, retried

F = TypeVar("F", bound=Callable[..., Any])


class RetryBudget:
    """How many retries there may be: ``ratio`` of the calls, and ``per_second`` besides, so that a quiet service may retry too.

    Where everything fails, retries add a tenth of the load, instead of twice as much. Unused ones add up to ``most``.
    """

    def __init__(self, ratio: float = 0.1, *, per_second: float = 0.2, most: float = 20.0, clock: Callable[[], float] = monotonic) -> None:
        self._ratio = ratio
        self._per_second = per_second
        self._most = most
        self._clock = clock
        self._left = most
        self._filled_at = clock()
        self._lock = Lock()

    def deposit(self) -> None:
        """Counts a call."""
        with self._lock:
            self._fill(self._ratio)

    def withdraw(self) -> bool:
        """Takes one retry, where there is one."""
        with self._lock:
            self._fill(0.0)
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def _fill(self, amount: float) -> None:
        now = self._clock()
        self._left = min(self._left + amount + (now - self._filled_at) * self._per_second, self._most)
        self._filled_at = now


class Retry:
    """A decorator that calls again what raised one of ``on``, up to ``attempts`` times in all.

    Between two attempts it waits a random time below ``first_wait`` seconds, then below twice that, and so on up to ``longest_wait``.
    ``wait`` may say another time for an exception (its Retry-After), or None; where that is beyond ``longest_wait``, nobody tries again.
    The last exception is raised unchanged. Only for calls that may be made twice. ``server_address`` is a label: the host that is called.
    Raises ValueError for numbers that make no sense.
    """

    def __init__(
        self,
        server_address: str,
        *,
        on: tuple[type[Exception], ...],
        attempts: int = 3,
        first_wait: float = 0.1,
        longest_wait: float = 2.0,
        budget: RetryBudget | None = None,
        wait: Callable[[Exception], float | None] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if attempts < 1 or first_wait < 0 or longest_wait < 0:
            raise ValueError(f"Retry({server_address!r}) needs attempts of at least 1, and waits of at least 0 seconds.")
        self._address = server_address
        self._on = on
        self._attempts = attempts
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._budget = budget or RetryBudget()
        self._wait = wait
        self._sleep = sleep

    def __call__(self, function: F) -> F:
        """The function, tried again."""
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                self._budget.deposit()
                attempt = 1
                while True:
                    try:
                        result = await function(*args, **kwargs)
                    except self._on as error:
                        pause = self._after_failure(attempt, error)
                        if pause is None:
                            raise
                    else:
                        self._after_success(attempt)
                        return result
                    await asyncio.sleep(pause)
                    attempt += 1

            return awaiting  # type: ignore[return-value]

        @wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            self._budget.deposit()
            attempt = 1
            while True:
                try:
                    result = function(*args, **kwargs)
                except self._on as error:
                    pause = self._after_failure(attempt, error)
                    if pause is None:
                        raise
                else:
                    self._after_success(attempt)
                    return result
                self._sleep(pause)
                attempt += 1

        return calling  # type: ignore[return-value]

    def _after_success(self, attempt: int) -> None:
        if attempt > 1:
            retried(self._address, ok=True)

    def _after_failure(self, attempt: int, error: Exception) -> float | None:
        """Seconds until the next attempt; None where there is none."""
        if attempt > 1:
            retried(self._address, ok=False)
        if attempt >= self._attempts:
            return None
        asked = self._wait(error) if self._wait else None
        pause = full_jitter(attempt, self._first_wait, self._longest_wait) if asked is None else max(asked, 0.0)
        left = remaining()
        if (asked is not None and asked > self._longest_wait) or (left is not None and pause >= left):
            return None
        if not self._budget.withdraw():
            budget_exhausted(self._address)
            return None
        note("retry", attempt=attempt + 1, wait=pause)
        return pause
