"""What a request costs, beside upstream's instrumentation, in one run: ``python -m tests.benchmarks.requests [--quick] [--out FILE]``.

Instructions, where valgrind is installed, repeat to about 1 %, and to about 5 % with export or sampling. Microseconds of processor time
tell how long that is on this machine, and depend on what else runs. "With export" counts the threads that encode and send, too: everybody
sends to a receiver on this machine, with the defaults of its exporter.
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.measuring import COUNTS, Cost, can_count_instructions, environment, instructions, microseconds
from tests.benchmarks.subjects import SUBJECTS
from tests.benchmarks.table import table
from tests.receivers import receiver

_PACKAGES = ("Django", "otelkit", "opentelemetry-sdk", "opentelemetry-instrumentation-django", "django-prometheus")


def main(arguments: list[str] | None = None) -> None:
    """Measures, and prints the table on standard output; progress goes to standard error."""
    options = _parser().parse_args(arguments)
    rounds = options.rounds or (5 if options.quick else 20)
    requests = options.requests or (200 if options.quick else 500)
    measurements: dict[str, dict[str, Cost]] = {}
    with receiver() as null:
        environ = environment(null.endpoint)
        if options.quick:
            _say("Instructions are left out: --quick.")
        elif not can_count_instructions():
            _say("Instructions are left out: valgrind is not installed.")
        else:
            _say(f"Counting instructions of {COUNTS[1] - COUNTS[0]} requests under callgrind, half a minute each ...")
            measurements["k-instr"] = {}
            for subject, cost in instructions(SUBJECTS, environ):
                measurements["k-instr"][subject.key] = cost
                _say(f"  {subject.title}: {cost.request:.0f} k-instr")
        _say(f"Measuring processor time in {rounds} rounds of {requests} requests each ...")
        for number, best in enumerate(microseconds(SUBJECTS, environ, rounds=rounds, requests=requests), 1):
            measurements["µs"] = best
            _say(f"  round {number}: " + ", ".join(f"{key} {cost.request:.0f}" for key, cost in best.items()) + " µs")
    text = f"{table(SUBJECTS, measurements)}\n\n{_machine()}\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.requests", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="processor time only, and few rounds: a first look in some ten seconds")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table there")
    parser.add_argument("--rounds", type=_count, help="rounds of processor time; the least counts")
    parser.add_argument("--requests", type=_count, help="requests of each round")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0; it is {text!r}")
    return int(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _machine() -> str:
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return f"Python {platform.python_version()} on {platform.machine()}; {packages}."


if __name__ == "__main__":
    main()
