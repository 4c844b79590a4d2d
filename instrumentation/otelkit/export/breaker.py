"""Patience with a receiver that is away: each attempt later than the one before, and one warning a minute."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
WARN_EVERY = 60.0
"""Seconds."""


class Breaker:
    """Closed while sending works. After a failure it stays open for a doubling time; then one attempt decides."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def wait(self) -> float:
        """Seconds until the next attempt is due; 0 when it may be made now."""
        return max(0.0, self._open_until - self._clock())

    def failed(self, retry_after: float | None = None) -> None:
        """Opens. The receiver's own wish counts, up to the longest wait; otherwise doubling with full jitter above half."""
        self._failures += 1
        doubled = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures - 1, 10))
        wait = min(retry_after, LONGEST_WAIT) if retry_after is not None else doubled * random.uniform(0.5, 1)  # noqa: S311  (no secret)
        self._open_until = self._clock() + wait

    def succeeded(self) -> bool:
        """Closes, and says whether it was open."""
        recovered, self._failures, self._open_until = self.is_failing, 0, 0.0
        return recovered


class OncePerMinute:
    """Says yes at most once a minute."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._warned_at: float | None = None

    def __call__(self) -> bool:
        """Whether a minute has passed since the last yes."""
        now = self._clock()
        if self._warned_at is not None and now - self._warned_at < WARN_EVERY:
            return False
        self._warned_at = now
        return True
