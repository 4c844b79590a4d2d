"""The outcomes of two runs, test by test, and where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_WORST_FIRST = ("error", "failed", "xpassed", "xfailed", "skipped", "passed")
BAD = frozenset({"error", "failed"})
ABSENT = "did not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test or a subtest, and its traceback where it failed."""

    word: str
    detail: str = ""


@dataclass(slots=True)
class Outcomes:
    """Of one run. The key of ``of`` is a test's id and the description of its subtest, which is empty for the test itself."""

    of: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    """Warnings and errors that the kit logged."""
    ended: bool = False
    """Whether the suite ran to its end."""

    @property
    def tests(self) -> int:
        """How many tests have an outcome, subtests not counted."""
        return sum(not part for _, part in self.of)

    @property
    def failing(self) -> int:
        """How many of them failed or could not run."""
        return sum(not part and outcome.word in BAD for (_, part), outcome in self.of.items())


@dataclass(frozen=True, slots=True)
class Difference:
    """A test, or a subtest of it, that ended otherwise with the kit on."""

    test: str
    part: str
    off: str
    on: str
    detail: str

    @property
    def is_worse(self) -> bool:
        """Whether the kit is to blame: for everything but a test that failed without it and is well with it."""
        return self.off not in BAD or self.on in BAD or self.on == ABSENT

    def __str__(self) -> str:
        subtest = f" {self.part}" if self.part else ""
        return f"{self.test}{subtest}\n  kit off: {self.off}\n  kit on:  {self.on}\n" + "".join(
            f"    {line}\n" for line in self.detail.rstrip().splitlines()
        )


def read(lines: Iterable[str]) -> Outcomes:
    """What :mod:`otelkit_suite.outcomes` wrote. Of several outcomes of a test the worst one counts."""
    found = Outcomes()
    for line in lines:
        entry = json.loads(line)
        if "complaint" in entry:
            found.complaints.append(entry["complaint"])
        elif "ended" in entry:
            found.ended = True
        else:
            key = entry["test"], entry["part"]
            known = found.of.get(key)
            if known is None or _WORST_FIRST.index(entry["outcome"]) < _WORST_FIRST.index(known.word):
                found.of[key] = Outcome(entry["outcome"], entry["detail"])
    return found


def read_file(path: Path) -> Outcomes:
    """As :func:`read`; a file that is not there is a run without a test."""
    return read(path.read_text().splitlines()) if path.exists() else Outcomes()


def differences(off: Outcomes, on: Outcomes) -> list[Difference]:
    """In the order of the run with the kit off; what only the run with the kit on has comes last.

    A subtest is only known where it failed, so one that is missing has passed.
    """
    found = []
    for test, part in {**off.of, **on.of}:
        missing = Outcome("passed" if part else ABSENT)
        before, after = off.of.get((test, part), missing), on.of.get((test, part), missing)
        if before.word != after.word:
            found.append(Difference(test, part, before.word, after.word, after.detail))
    return found
