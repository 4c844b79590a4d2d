"""What the kit costs a server: requests a second and the slowest of a hundred, under gunicorn, on this machine's loopback.

One process with four threads, four connections that are kept alive, each asking again as soon as it is answered. Every server is up all
the time and they take turns, so that a busy moment of the machine is everybody's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.subjects import Subject

THREADS = 4
_STARTING = 60.0
"""Seconds that a server may take to listen."""


@dataclass(frozen=True, slots=True)
class Served:
    """One turn of one server."""

    requests_per_second: float
    p99: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Service:
    """All turns of one server."""

    turns: list[Served]

    @property
    def requests_per_second(self) -> float:
        """Of the best turn."""
        return max(turn.requests_per_second for turn in self.turns)

    @property
    def p99(self) -> float:
        """Of the best turn, in milliseconds."""
        return min(turn.p99 for turn in self.turns)

    def kept(self, bare: Service) -> float:
        """Share of the other's requests a second, in the middle round."""
        pairs = zip(self.turns, bare.turns, strict=True)
        return median(mine.requests_per_second / theirs.requests_per_second for mine, theirs in pairs)

    def slower(self, bare: Service) -> float:
        """How many times the other's 99th percentile, in the middle round."""
        return median(mine.p99 / theirs.p99 for mine, theirs in zip(self.turns, bare.turns, strict=True))


def serve(subjects: Sequence[Subject], environ: Mapping[str, str], *, rounds: int, seconds: float) -> Iterator[dict[str, Service]]:
    """All turns so far, by the subject's key, after each round.

    Raises RuntimeError for a server that does not start or does not answer as it should.
    """
    with ExitStack() as stack:
        ports = {subject.key: stack.enter_context(_server(subject, environ)) for subject in subjects}
        for port in ports.values():
            _load(port, 1.0)
        found: dict[str, list[Served]] = {key: [] for key in ports}
        for _ in range(rounds):
            for key, port in ports.items():
                found[key].append(_load(port, seconds))
            yield {key: Service(turns) for key, turns in found.items()}


@contextmanager
def _server(subject: Subject, environ: Mapping[str, str]) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="otelkit-bench-") as folder:
        log = Path(folder) / "gunicorn.log"
        options = [
            "--worker-class",
            "gthread",
            "--threads",
            str(THREADS),
            "--workers",
            "1",
            "--bind",
            "127.0.0.1:0",
            "--log-file",
            str(log),
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "tests.benchmarks.wsgi:application"],
            env={**environ, "BENCHMARK_SUBJECT": subject.key},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _port(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _STARTING
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_text() if log.exists() else ""
        listening = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", text)
        if listening and "Booting worker" in text:
            return int(listening[1])
        time.sleep(0.05)
    raise RuntimeError(f"gunicorn did not start:\n{log.read_text()[-2000:] if log.exists() else 'it wrote nothing'}")


def _load(port: int, seconds: float) -> Served:
    """In a process of its own, which does not wait for what this one does."""
    command = [sys.executable, "-m", "tests.benchmarks.client", str(port), str(seconds), str(THREADS)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"The client failed:\n{run.stderr[-2000:]}")
    return Served(**json.loads(run.stdout))
