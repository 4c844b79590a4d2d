"""The moments of numbers over time, and the spans that belong to each: those that started in the step up to it, its end included."""

from __future__ import annotations

import time
from dataclasses import dataclass

from otelkit_stack.traceql.errors import TooMuchError

MOST_STEPS = 11_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Steps:
    """Unix nanoseconds. ``start_ns`` is where the first step begins; an instant has one, and its start belongs to it."""

    start_ns: int
    end_ns: int
    step_ns: int
    is_instant: bool = False

    @property
    def count(self) -> int:
        """How many."""
        return 1 if self.is_instant else max(0, (self.end_ns - self.start_ns) // self.step_ns)

    def place(self, time_ns: int) -> int:
        """Which step a moment belongs to, from 0; -1 for none."""
        if self.is_instant:
            return 0 if self.start_ns <= time_ns <= self.end_ns else -1
        return (time_ns - self.start_ns - 1) // self.step_ns if self.start_ns < time_ns <= self.end_ns else -1

    def time_ms(self, place: int) -> int:
        """Unix milliseconds that the step is shown at: its end."""
        return (self.end_ns if self.is_instant else self.start_ns + (place + 1) * self.step_ns) // 1_000_000


def instant(start_ns: int, end_ns: int) -> Steps:
    """One step for all of the time."""
    return Steps(start_ns, end_ns, end_ns - start_ns, is_instant=True)


def aligned(start_ns: int, end_ns: int, step_ns: int, *, now_ns: int | None = None) -> Steps:
    """Steps at multiples of the step, so that a board that is drawn again draws the same: one more in front, none that is not over.

    Raises TooMuchError for more than a picture can show.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    first = start_ns // step_ns * step_ns
    last = -(-end_ns // step_ns) * step_ns
    if last > now_ns:
        last = now_ns // step_ns * step_ns
    steps = Steps(max(0, first - step_ns), last, step_ns)
    if steps.count > MOST_STEPS:
        raise TooMuchError(
            f"exceeded maximum resolution of {MOST_STEPS} points per time series. Try increasing the value of the step parameter"
        )
    return steps


def default_step_ns(start_ns: int, end_ns: int) -> int:
    """About 240 steps, in whole seconds, from a fifth second on in fives."""
    wanted = (end_ns - start_ns) // 240
    in_fives = wanted // (5 * _SECOND_NS) * 5 * _SECOND_NS
    return max(in_fives or wanted // _SECOND_NS * _SECOND_NS, _SECOND_NS)
