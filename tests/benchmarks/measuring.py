"""How a subject is run and what it costs: instructions counted by callgrind, and processor time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.benchmarks.subjects import Subject

MARK = "getloadavg"
"""A function of the C library that nobody calls but the worker: before what is counted, between work and sending, and behind.

callgrind writes down what it has counted so far in the thread that meets it. Other threads are counted to the end.
"""
_LONGEST_RUN = 900.0
"""Seconds that one run under callgrind may take; 10 are usual."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step: by itself, and with its share of exporting, which another thread does."""

    step: float
    process: float


def environment(endpoint: str, **more: str) -> dict[str, str]:
    """Variables of every measured process: OTLP goes to ``endpoint``, everything else but ``more`` is at its default."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTELKIT_", "DJANGO_"))}
    return {
        **kept,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_SERVICE_NAME": "shop",
        "PYTHONHASHSEED": "0",
        **more,
    }


def _command(subject: Subject, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.worker", subject.key, *arguments]


# --- instructions -----------------------------------------------------------------------------------------------------


def can_count_instructions() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None and shutil.which("callgrind_control") is not None


def instructions(subjects: Sequence[Subject], endpoint: str) -> Iterator[tuple[Subject, Cost]]:
    """Thousands of instructions per step. Raises RuntimeError, with the program's words, for a subject that does not run."""
    # Time is another one under callgrind: what is recorded is sent at the end, in one go, as a busy process does once a second.
    environ = environment(endpoint, OTEL_BSP_SCHEDULE_DELAY="60000", OTEL_METRIC_EXPORT_INTERVAL="600000")
    # Several at a time: what a process counts does not depend on who else runs.
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2)) as pool:
        yield from zip(subjects, pool.map(lambda subject: _count(subject, environ), subjects), strict=True)


def _count(subject: Subject, environ: Mapping[str, str]) -> Cost:
    with tempfile.TemporaryDirectory(prefix="otelkit-bench-") as folder:
        output = Path(folder) / "callgrind.out"
        # Not counted from the start: start-up alone would take longer than everything else.
        options = ["--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", f"--dump-before={MARK}"]
        run = subprocess.run(
            ["valgrind", *options, f"--callgrind-out-file={output}", *_command(subject, "--count")],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_RUN,
            check=False,
        )
        if run.returncode != 0:
            raise RuntimeError(f"{subject.key} ended with {run.returncode} under callgrind:\n{run.stderr[-2000:]}")
        counted = read_counts([path.read_text() for path in Path(folder).iterdir()])
    steps = subject.work.counts[1] * subject.work.per_step * 1000
    return Cost(counted.step / steps, counted.process / steps)


def read_counts(outputs: Sequence[str]) -> Cost:
    """Instructions that thread 1 spent between the first two marks, and those together with what sending cost in all threads.

    ``outputs`` are callgrind's files: of thread 1 one for each mark, and of each thread one for the end.
    Raises RuntimeError where marks are missing.
    """
    parts: dict[int, int] = {}
    others = 0
    for output in outputs:
        part, thread, total = (re.search(rf"^{name}: (\d+)$", output, re.MULTILINE) for name in ("part", "thread", "totals"))
        if part is None or thread is None or total is None:
            continue  # callgrind leaves an empty file, too
        if thread[1] != "1":
            others += int(total[1])
        elif f"desc: Trigger: --dump-before={MARK}\n" in output:
            parts[int(part[1])] = int(total[1])
    if parts.keys() != {1, 2, 3}:
        raise RuntimeError(f"callgrind met {MARK}() {len(parts)} times instead of 3: {[output[:200] for output in outputs]}")
    return Cost(parts[2], parts[2] + parts[3] + others)


# --- processor time ---------------------------------------------------------------------------------------------------


def microseconds(subjects: Sequence[Subject], environ: Mapping[str, str], *, rounds: int, share: float = 1.0) -> Iterator[dict[str, Cost]]:
    """The least microseconds per step so far, by the subject's key, after each round. ``share`` shortens each turn.

    All subjects take turns in each round, so that a busy minute of the machine is everybody's.
    """
    with _running(subjects, environ) as workers:
        turns = {key: max(1, round(worker.subject.work.turn * share)) for key, worker in workers.items()}
        for key, worker in workers.items():
            worker.work(max(1, turns[key] // 2))  # imports, caches and the first connection
        best: dict[str, Cost] = {}
        for _ in range(rounds):
            for key, worker in workers.items():
                cost = worker.work(turns[key])
                known = best.get(key, cost)
                best[key] = Cost(min(cost.step, known.step), min(cost.process, known.process))
            yield dict(best)


class _Worker:
    """A process that works when it is told to."""

    def __init__(self, subject: Subject, environ: Mapping[str, str], errors: IO[str]) -> None:
        self.subject = subject
        self._errors = errors
        self.process = subprocess.Popen(
            _command(subject), env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )

    def work(self, steps: int) -> Cost:
        """Microseconds of one of ``steps`` steps. Raises RuntimeError when the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{steps}\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self.subject.key} ended with {self.process.wait()}:\n{self._errors.read()[-2000:]}")
        taken = json.loads(line)
        things = steps * self.subject.work.per_step * 1000
        return Cost(taken["step"] / things, taken["process"] / things)

    def end(self) -> None:
        """Lets the process leave by itself, or ends it."""
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self._errors.close()


@contextmanager
def _running(subjects: Sequence[Subject], environ: Mapping[str, str]) -> Iterator[dict[str, _Worker]]:
    workers: dict[str, _Worker] = {}
    with tempfile.TemporaryDirectory(prefix="otelkit-bench-") as folder:
        try:
            for subject in subjects:
                errors = (Path(folder) / f"{subject.key}.txt").open("w+")
                workers[subject.key] = _Worker(subject, environ, errors)
            yield workers
        finally:
            for worker in workers.values():
                worker.end()
