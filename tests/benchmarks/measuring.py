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

COUNTS = (50, 150)
"""Requests of the two runs under callgrind; their difference holds no start-up and no warming."""
_LONGEST_RUN = 600.0
"""Seconds that one run under callgrind may take; 20 are usual."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one request: in the thread that answers it, and in the whole process, its share of exporting included."""

    request: float
    process: float

    def above(self, other: Cost) -> Cost:
        """What is added to the other."""
        return Cost(self.request - other.request, self.process - other.process)


def environment(endpoint: str) -> dict[str, str]:
    """Variables of every measured process: OTLP goes to ``endpoint``, everything else is at its default."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTELKIT_", "DJANGO_"))}
    return {
        **kept,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_SERVICE_NAME": "shop",
        "PYTHONHASHSEED": "0",
    }


def _command(subject: Subject, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.worker", subject.key, *arguments]


# --- instructions -----------------------------------------------------------------------------------------------------


def can_count_instructions() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def instructions(subjects: Sequence[Subject], environ: Mapping[str, str]) -> Iterator[tuple[Subject, Cost]]:
    """Thousands of instructions per request. Raises RuntimeError, with the program's words, for a subject that does not run."""
    # Two at a time: what a process counts does not depend on who else runs.
    with ThreadPoolExecutor(2) as pool:
        runs = [(subject, [pool.submit(_count, subject, count, environ) for count in COUNTS]) for subject in subjects]
        for subject, (few, many) in runs:
            span = (COUNTS[1] - COUNTS[0]) * 1000
            more = many.result().above(few.result())
            yield subject, Cost(more.request / span, more.process / span)


def _count(subject: Subject, count: int, environ: Mapping[str, str]) -> Cost:
    with tempfile.TemporaryDirectory(prefix="otelkit-bench-") as folder:
        output = Path(folder) / "callgrind.out"
        valgrind = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={output}"]
        run = subprocess.run(
            [*valgrind, *_command(subject, "--count", str(count))],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_RUN,
            check=False,
        )
        if run.returncode != 0:
            raise RuntimeError(f"{subject.key} ended with {run.returncode} under callgrind:\n{run.stderr[-2000:]}")
        return read_counts([path.read_text() for path in sorted(Path(folder).glob("callgrind.out-*"))])


def read_counts(outputs: Sequence[str]) -> Cost:
    """Instructions of thread 1, which answers, and of all threads, from callgrind's files, one a thread.

    Raises RuntimeError for a file without a thread number or a total.
    """
    by_thread: dict[int, int] = {}
    for output in outputs:
        thread, total = re.search(r"^thread: (\d+)$", output, re.MULTILINE), re.search(r"^totals: (\d+)$", output, re.MULTILINE)
        if thread is None or total is None:
            raise RuntimeError(f"This is not what callgrind writes with --separate-threads=yes: {output[:200]!r}")
        by_thread[int(thread[1])] = int(total[1])
    return Cost(by_thread[1], sum(by_thread.values()))


# --- processor time ---------------------------------------------------------------------------------------------------


def microseconds(subjects: Sequence[Subject], environ: Mapping[str, str], *, rounds: int, requests: int) -> Iterator[dict[str, Cost]]:
    """The least microseconds per request so far, by the subject's key, after each round.

    All subjects take turns in each round, so that a busy minute of the machine is everybody's.
    """
    with _running(subjects, environ) as workers:
        for worker in workers.values():
            worker.answer(max(1, requests // 2))  # imports, caches and the first connection
        best: dict[str, Cost] = {}
        for _ in range(rounds):
            for key, worker in workers.items():
                cost, known = worker.answer(requests), best.get(key)
                best[key] = cost if known is None else Cost(min(cost.request, known.request), min(cost.process, known.process))
            yield best


class _Worker:
    """A process that answers requests when it is told to."""

    def __init__(self, subject: Subject, environ: Mapping[str, str], errors: IO[str]) -> None:
        self._key = subject.key
        self._errors = errors
        self.process = subprocess.Popen(
            _command(subject), env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )

    def answer(self, requests: int) -> Cost:
        """Microseconds of one of ``requests`` requests. Raises RuntimeError when the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{requests}\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self._key} ended with {self.process.wait()}:\n{self._errors.read()[-2000:]}")
        taken = json.loads(line)
        return Cost(taken["request"] / requests / 1000, taken["process"] / requests / 1000)

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
