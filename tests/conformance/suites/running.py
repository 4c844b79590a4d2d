"""Runs a suite once, with the kit off or on, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.suites.outcomes import Outcomes, read_file
from tests.conformance.suites.receiver import Received, counting

INSIDE = Path(__file__).parent / "inside"
_LONGEST_SILENCE = 900.0
"""Seconds in which at least one test must end; a whole suite takes minutes, and on a busy machine as long as it takes."""
_SAYS_EVERY = 20.0
"""Seconds between two lines about how far a run is."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it."""

    outcomes: Outcomes
    received: Received
    seconds: float
    output: Path
    """What the suite printed."""
    exit_code: int

    def __str__(self) -> str:
        return f"{self.outcomes.tests:,} tests, {self.outcomes.failing} fail, {self.seconds:.0f} s"

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-15:])


def run(
    command: Sequence[str], folder: Path, name: str, results: Path, *, kit: bool, environ: Mapping[str, str], sabotage: bool = False
) -> Run:
    """Runs ``command`` in ``folder``, and writes what it prints and its outcomes below ``results``."""
    results.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{'on' if kit else 'off'}"
    outcomes, output = results / f"{stem}.jsonl", results / f"{stem}.txt"
    outcomes.unlink(missing_ok=True)
    variables = {
        **{key: value for key, value in environ.items() if not key.startswith(("DJANGO_", "OTELKIT_SUITE_", "PYTEST_"))},
        "PYTHONPATH": str(INSIDE),
        "OTELKIT_SUITE_OUTCOMES": str(outcomes),
    }
    started = time.monotonic()
    with counting() as received, output.open("wb") as printed:
        if kit:
            variables["OTELKIT_SUITE_ENDPOINT"] = received.endpoint
        if sabotage:
            variables["OTELKIT_SUITE_SABOTAGE"] = "yes"
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=printed, stderr=printed, start_new_session=True)
        with _ended(process):
            _wait(process, outcomes, f"{name}, kit {'on' if kit else 'off'}", started)
    return Run(read_file(outcomes), received, time.monotonic() - started, output, process.returncode)


def _wait(process: subprocess.Popen[bytes], outcomes: Path, what: str, started: float) -> None:
    tests, last = 0, started
    while True:
        try:
            process.wait(_SAYS_EVERY)
        except subprocess.TimeoutExpired:
            now, known = time.monotonic(), tests
            tests = read_file(outcomes).tests
            last = now if tests > known else last
            print(f"  {what}: {tests:,} tests in {now - started:.0f} s", flush=True)
            if now - last > _LONGEST_SILENCE:
                print(f"  {what}: given up, because no test ended in {now - last:.0f} s", flush=True)
                return
        else:
            return


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends the suite with its workers where the run is broken off: by Ctrl-C, or because it takes too long."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
