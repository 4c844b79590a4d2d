"""Something is wrong, find it: faults that come and go by themselves, and the key with the answers.

The same seed plays the same faults at the same times.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from otelkit_demo.faults import FAULTS, Fault, FlagFile
from otelkit_demo.report import promise_line

QUIET_SECONDS = (60, 120)
"""How long nothing is wrong before an act, from and to: long enough to know what normal looks like."""
ACT_SECONDS = (240, 360)
"""How long a fault is there: longer than its alert may take."""
SHARES = (0.3, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Act:
    """One fault that is there from ``begin_s`` to ``end_s`` after the services are ready."""

    fault: Fault
    share: float
    begin_s: int
    end_s: int


def acts(seed: int) -> Iterator[Act]:
    """The acts of that seed, without end. No fault comes a second time before all others were there."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    at_s = 0
    while True:
        for fault in chance.sample(FAULTS, len(FAULTS)):
            begin_s = at_s + chance.randint(*QUIET_SECONDS)
            at_s = begin_s + chance.randint(*ACT_SECONDS)
            yield Act(fault, chance.choice(SHARES), begin_s, at_s)


def key(seed: int, count: int) -> str:
    """The answers to the first ``count`` acts of that seed, as text."""
    return "\n".join(_answer(number, act) for number, act in enumerate(islice(acts(seed), count), 1))


class Mystery:
    """Plays the acts of a seed into a flag file."""

    def __init__(self, seed: int, flags: FlagFile) -> None:
        self._flags = flags
        self._acts = acts(seed)
        self._next = next(self._acts)
        self._playing = False
        self.begun = 0
        """How many acts have begun."""

    def play(self, elapsed_s: float) -> None:
        """Set or clear what is due. Call it often."""
        if not self._playing and elapsed_s >= self._next.begin_s:
            self._flags.set(self._next.fault.name, self._next.share)
            self._playing, self.begun = True, self.begun + 1
        elif self._playing and elapsed_s >= self._next.end_s:
            self._flags.clear(self._next.fault.name)
            self._playing, self._next = False, next(self._acts)


def _answer(number: int, act: Act) -> str:
    fault = act.fault
    runbook = f" Runbook: {fault.alarm.runbook}" if fault.alarm else ""
    when = f"{_clock(act.begin_s)} to {_clock(act.end_s)}"
    return f"{number}. {when}  {fault.name} {act.share:.0%}, in {fault.service}\n   {fault.seen}\n   {promise_line(fault)}{runbook}"


def _clock(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"
