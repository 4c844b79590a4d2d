"""What the kit costs, beside others, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.flooding import flood
from tests.benchmarks.measuring import can_count_instructions, environment, instructions, microseconds
from tests.benchmarks.page import page
from tests.benchmarks.results import FLOOD, GUNICORN, STACK, Results, missed
from tests.benchmarks.serving import serve
from tests.benchmarks.stack import Size
from tests.benchmarks.stack import measure as measure_stack
from tests.benchmarks.subjects import SECTIONS, SERVED, SUBJECTS, Subject
from tests.receivers import receiver

PARTS = (*dict.fromkeys(section.part for section in SECTIONS), GUNICORN, FLOOD, STACK)
WHOLE = Path("BENCHMARKS.md")
"""Written by a run of everything."""
OTHERWISE = Path("build/benchmarks.md")
"""Written by a run of some parts, or a quick one."""
_RATE = 20_000
"""Spans a second of the flood."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long everything is measured."""

    rounds: int
    """Of processor time."""
    share: float
    """Of each turn's usual length."""
    servings: int
    """Rounds of gunicorn."""
    seconds: float
    """Each turn of gunicorn."""
    flood: int
    """Seconds."""
    stack: Size


FULL = Effort(rounds=15, share=1, servings=7, seconds=3, flood=30, stack=Size())
QUICK = Effort(
    rounds=3, share=0.3, servings=2, seconds=1, flood=3, stack=Size(seconds=5, spans=20_000, series=(100, 1_000), lines=20_000, rounds=2)
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the page on standard output and writes it to a file; progress goes to standard error.

    Exits with 1, naming rows and goals, where a goal is missed; a quick run shows its goals and does not fail.
    """
    options = _parser().parse_args(arguments)
    parts = tuple(dict.fromkeys(options.parts)) or PARTS
    left_out = [f"Left out: {subject.title} (needs {', '.join(absent)})." for subject in SUBJECTS if (absent := subject.missing())]
    if options.quick:
        left_out.append("A quick run: no instructions, and short turns.")
    elif not can_count_instructions():
        left_out.append("Instructions are left out: valgrind is not installed (apt-get install valgrind).")
    for sentence in left_out:
        _say(sentence)
    results = measure(parts, QUICK if options.quick else FULL, count=not options.quick and can_count_instructions())
    text = page(results, day=f"{datetime.now(UTC):%Y-%m-%d}", left_out=left_out)
    print(text, end="")
    out = options.out or (OTHERWISE if options.quick or parts != PARTS else WHOLE)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    _say(f"Written to {out}.")
    if (failures := missed(results)) and not options.quick:
        sys.exit("\n".join(["Goals were missed:", *(f"  {failure}" for failure in failures)]))


def measure(parts: Sequence[str], effort: Effort, *, count: bool) -> Results:
    """What these parts cost; ``count`` says whether instructions are counted, too."""
    results = Results()
    with receiver() as running:
        for part in parts:
            if part == GUNICORN:
                _serve(results, running.endpoint, effort)
            elif part == FLOOD:
                _say(f"{part}: {_RATE:,} spans a second for {effort.flood} s ...")
                results.flood = flood(_RATE, effort.flood)
            elif part == STACK:
                results.stack = measure_stack(effort.stack, _say)
            else:
                _weigh(part, results, running.endpoint, effort, count=count)
            running.requests.clear()
    return results


def _weigh(part: str, results: Results, endpoint: str, effort: Effort, *, count: bool) -> None:
    subjects = _present(list(dict.fromkeys(subject for section in SECTIONS if section.part == part for subject in section.measured())))
    if count:
        for number, (subject, cost) in enumerate(instructions(subjects, endpoint), 1):
            results.instructions[subject.key] = cost
            _say(f"{part}: {number} of {len(subjects)} under callgrind: {subject.key} {cost.step:.0f} k-instr, {cost.process:.0f} exported")
    times: dict[str, float] = {}
    for number, best in enumerate(microseconds(subjects, environment(endpoint), rounds=effort.rounds, share=effort.share), 1):
        results.times.update(best)
        times = {key: cost.step for key, cost in best.items()}
        _say(f"{part}: round {number} of {effort.rounds}: " + ", ".join(f"{key} {time:.0f}" for key, time in times.items()) + " µs")


def _serve(results: Results, endpoint: str, effort: Effort) -> None:
    turns = serve(_present(SERVED), environment(endpoint), rounds=effort.servings, seconds=effort.seconds)
    for number, services in enumerate(turns, 1):
        results.services = services
        last = {key: service.turns[-1].requests_per_second for key, service in services.items()}
        _say(
            f"{GUNICORN}: round {number} of {effort.servings}: "
            + ", ".join(f"{key} {rate:.0f}" for key, rate in last.items())
            + " requests/s"
        )


def _present(subjects: Sequence[Subject]) -> list[Subject]:
    return [subject for subject in subjects if not subject.missing()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    # choices= would ask the empty list whether it is one of them
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"{', '.join(PARTS)}; all of them where none is named")
    parser.add_argument("--quick", action="store_true", help="a first look in a minute: short turns, no instructions, no failing")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"default: {WHOLE}; {OTHERWISE} of a run of parts or a quick one")
    return parser


def _part(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"no part is called {text!r}; there are {', '.join(PARTS)}")
    return text


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
