"""What the embedded stack manages, as the process that ``otelkit stack`` is: what it takes in, how fast it answers over HTTP, its size."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from otelkit_stack.rows import Batch
from otelkit_stack.store import Store
from tests.benchmarks.stack_data import HOUR_MS, NEEDLE, lines, samples
from tests.benchmarks.stack_load import Connection, Ingest, closing_connection, ingest
from tests.benchmarks.traces import PER_TRACE, spans_of

NEWEST, WATERFALL, RATE, RATES, SEARCH = "newest traces", "waterfall", "rate", "many rates", "text search"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything there is."""

    seconds: float = 60
    """That are sent."""
    spans: int = 1_000_000
    series: tuple[int, int] = (1_000, 10_000)
    lines: int = 1_000_000
    rounds: int = 7
    """Of each question; the fastest answer counts."""


@dataclass(slots=True)
class Stack:
    """What was measured."""

    size: Size
    ingest: Ingest | None = None
    answers_ms: dict[str, float] = field(default_factory=dict)
    """By question, as a client sees them."""
    start_s: float = 0.0
    """From the command to the first answer; of the databases the one that takes longest, each started a few times."""
    peak_mib: float = 0.0
    """Of resident memory, over all of this."""
    octets: dict[str, float] = field(default_factory=dict)
    """On disk, for each span, sample and line."""


def measure(size: Size, say: Callable[[str], None]) -> Stack:
    """Everything, each with a stack of its own; minutes. Raises RuntimeError for an answer that is wrong."""
    found = Stack(size)
    with tempfile.TemporaryDirectory() as folder:
        say(f"stack: spans and samples for {size.seconds:g} s, with questions meanwhile ...")
        with _running(Path(folder) / "ingest", found) as url:
            found.ingest = ingest(url, size.seconds)
    _asked(found, say, "span", size.spans, spans_of(size.spans // PER_TRACE, time.time_ns()), {NEWEST: _newest, WATERFALL: _waterfall})
    for series, question in zip(size.series, (RATE, RATES), strict=True):
        end_ms = time.time_ns() // 1_000_000
        count = series * (HOUR_MS // 15_000 + 20)
        _asked(found, say, "sample", count, samples(series, end_ms), {question: _rate(end_ms)})
    _asked(found, say, "line", size.lines, lines(size.lines, time.time_ns()), {SEARCH: _search})
    return found


def _asked(
    found: Stack,
    say: Callable[[str], None],
    what: str,
    count: int,
    batches: Iterable[Batch],
    questions: dict[str, Callable[[Connection], None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        say(f"stack: {count:,} {what}s ...")
        with Store(Path(folder), retention_s=None) as store:
            for batch in batches:
                store.submit(batch)
                store.flush(60)
        found.octets[what] = store.file.stat().st_size / count
        starts = []
        for _ in range(3):
            began = time.perf_counter()
            with _running(Path(folder), found):
                starts.append(time.perf_counter() - began)
        found.start_s = max(found.start_s, min(starts))
        with _running(Path(folder), found) as url, closing_connection(url) as connection:
            for title, ask in questions.items():
                found.answers_ms[title] = _fastest(lambda ask=ask: ask(connection), found.size.rounds)  # type: ignore[misc]
                say(f"stack: {title}: {found.answers_ms[title]:.1f} ms")


def _fastest(ask: Callable[[], None], rounds: int) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return min(took) * 1000


@contextmanager
def _running(data: Path, found: Stack) -> Iterator[str]:
    """A stack as a process of its own that answers; its memory is noted at the end."""
    command = [sys.executable, "-m", "otelkit_stack", "--data", str(data), "--port", "0", "--retention-time", "365d"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            said = re.match(r"otelkit stack: (http://\S+)", line)
            if said is None:
                raise RuntimeError(f"The stack did not start: {line}{process.stderr.read() if process.stderr else ''}")
            with closing_connection(said[1]) as connection:
                connection.get("/-/ready")
            yield said[1]
            found.peak_mib = max(found.peak_mib, _peak_mib(process.pid))
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(peak[1]) / 1024 if peak else float("nan")


# --- the questions ------------------------------------------------------------------------------------------------------


def _newest(connection: Connection) -> None:
    _expect(len(json.loads(connection.get("/api/search", q="{ }", limit=50))["traces"]) == 50, "fifty traces")


def _waterfall(connection: Connection) -> None:
    (newest,) = json.loads(connection.get("/api/search", q="{ }", limit=1))["traces"]
    _expect(connection.get(f"/traces/{newest['traceID']}").count(b"SELECT orders") >= PER_TRACE // 2, "every span of a trace")


def _rate(end_ms: int) -> Callable[[Connection], None]:
    def ask(connection: Connection) -> None:
        end = end_ms // 1000
        query = "sum by (service_name) (rate(bench_requests_total[1m]))"
        answer = json.loads(connection.get("/api/v1/query_range", query=query, start=end - 3600, end=end, step="15s"))
        _expect([len(series["values"]) for series in answer["data"]["result"]] == [241] * 10, "ten services over an hour")

    return ask


def _search(connection: Connection) -> None:
    answer = json.loads(connection.get("/loki/api/v1/query_range", query=f'{{service_name=~".+"}} |= "{NEEDLE}"', since="25h", limit=100))
    _expect(sum(len(stream["values"]) for stream in answer["data"]["result"]) == 4, "four lines")


def _expect(is_right: bool, what: str) -> None:
    if not is_right:
        raise RuntimeError(f"The stack did not answer with {what}.")
