"""What two runs of a suite say about the kit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.conformance.suites.outcomes import Difference, differences
from tests.conformance.suites.running import Run

_MOST_SHOWN = 50
"""Differences whose traceback is printed; with more, the first few say what is wrong."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one suite."""

    title: str
    off: Run
    on: Run
    worse: tuple[Difference, ...]
    """New failures, tests that are gone and tests that are new: what nobody expects."""
    better: tuple[Difference, ...]
    """Tests that failed without the kit only, which no kit can be blamed for."""
    inherent: Mapping[str, str]
    """Expected differences, with their reason."""
    timed: Mapping[str, str]
    """Tests that measure time and differ, with what they measure."""
    faults: tuple[str, ...]
    """What makes the comparison itself worthless, or shows a failure that the kit hid."""

    @property
    def is_good(self) -> bool:
        """Whether the kit changed nothing that it may not change."""
        return not (self.worse or self.faults)

    def report(self) -> str:
        """A paragraph for each difference and fault; empty where there is none."""
        parts = [f"{difference}" for difference in self.worse[:_MOST_SHOWN]]
        if len(self.worse) > _MOST_SHOWN:
            parts.append(f"... and {len(self.worse) - _MOST_SHOWN} more\n")
        parts += [f"{fault}\n" for fault in self.faults]
        return "".join(f"\n{part}" for part in parts)

    def summary(self) -> str:
        """What a reader of a log looks for: one line, and one for each exception to it."""
        known, seconds = self.off.outcomes.failing, f"{self.off.seconds:.0f} s off, {self.on.seconds:.0f} s on"
        also = f"{known} fail{'s' * (known == 1)} without it too; " if known else ""
        faults = f", {len(self.faults)} faults of the comparison" if self.faults else ""
        new = len({difference.test for difference in self.worse})  # a test with its subtests is one
        lines = [
            f"{self.title}: {self.on.outcomes.tests:,} tests, {new:,} new failures with the kit on{faults} ({also}{seconds})",
            f"  the kit saw {self.on.received}",
        ]
        lines += [f"  differs by its nature: {test}: {why}" for test, why in self.inherent.items()]
        lines += [f"  measures time, and is not compared: {test}: {what}" for test, what in self.timed.items()]
        lines += [f"  failed without the kit, and not with it: {difference.test}" for difference in self.better]
        return "\n".join(lines)


def judge(
    title: str, off: Run, on: Run, *, least_requests: int, inherent: Mapping[str, str], timed: Mapping[str, str] = MappingProxyType({})
) -> Judgement:
    """Compares. ``inherent`` names tests that must differ, with the reason; of those, one that ran and does not differ is a fault.

    ``timed`` names tests that may differ.
    """
    found = differences(off.outcomes, on.outcomes)
    differing = {difference.test for difference in found}
    stale = [test for test in inherent if (test, "") in off.outcomes.of and test not in differing]
    unexpected = [difference for difference in found if difference.test not in inherent and difference.test not in timed]
    faults = [
        *_faults_of("off", off),
        *_faults_of("on", on),
        *(f"{test} is listed as different by its nature ({inherent[test]}), and is not." for test in stale),
        *(f"The kit complained of itself:\n{complaint}" for complaint in dict.fromkeys(on.outcomes.complaints)),
    ]
    if on.received.requests < least_requests:
        faults.append(f"The kit was not on: it followed {on.received.requests:,} requests, and {least_requests:,} are the least to expect.")
    if off.received.processes:
        faults.append(f"The kit was not off: {off.received}.")
    return Judgement(
        title,
        off,
        on,
        tuple(difference for difference in unexpected if difference.is_worse),
        tuple(difference for difference in unexpected if not difference.is_worse),
        {test: why for test, why in inherent.items() if test in differing},
        {test: what for test, what in timed.items() if test in differing},
        tuple(faults),
    )


def _faults_of(kit: str, run: Run) -> list[str]:
    """A run that broke off, or ran nothing, compares equal to another of its kind."""
    if run.outcomes.ended and run.outcomes.tests and run.exit_code in (0, 1):
        return []
    return [f"With the kit {kit} the suite did not run to its end (exit code {run.exit_code}). It said:\n{run.last_words()}"]
