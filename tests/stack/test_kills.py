"""Twenty times ``kill -9`` under load, on the same database: it opens, it is whole, and what was settled is there.

By hand: ``make soak``.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from otelkit_stack.queries import Queries
from tests.backends import wait_until
from tests.stack.otlp_requests import metrics, post, span, traces
from tests.stack.test_process import stack_process

KILLS = 20
SETTLED_S = 1.0
"""After which an acknowledged record is on disk, as the README says."""
_SPANS = 20


@dataclass
class Load:
    """Requests of one after the other, and when each was acknowledged."""

    url: str
    process: subprocess.Popen[str]
    first: int
    acknowledged: list[tuple[int, float]] = field(default_factory=list)
    """Number of a request, and the moment of its answer."""

    def run(self) -> None:
        number = self.first
        while self.process.poll() is None:
            number += 1
            trace = traces(*(span(f"{n + 1:016x}", trace_id=f"{number:032x}", key="x" * 100) for n in range(_SPANS)))
            point = NumberDataPoint(time_unix_nano=time.time_ns(), as_int=number)
            try:
                taken = [post(self.url, request) for request in (trace, metrics(Metric(name="sent", gauge=Gauge(data_points=[point]))))]
            except httpx.TransportError:
                return
            if all(answer.status_code == 200 for answer in taken):
                self.acknowledged.append((number, time.monotonic()))


@pytest.mark.soak
def test_twenty_kills_under_load_cost_nothing_that_was_settled(tmp_path: Path):
    """B3's bound, over and over: what a stack acknowledged a second before it was killed is there after every later kill, too."""
    data, dice = tmp_path / "data", random.Random(1)
    settled: list[int] = []
    flushed = number = 0
    for _ in range(KILLS):
        with stack_process(data) as (process, url):
            load = Load(url, process, number)
            sender = threading.Thread(target=load.run)
            sender.start()
            wait_until(lambda load=load: len(load.acknowledged) >= 5, 60, "the load did not start", every=0.01)  # type: ignore[misc]
            before_flush = load.acknowledged[-1][0]
            assert httpx.post(url + "/-/flush", verify=False, timeout=60).status_code == 204
            flushed = before_flush
            target = len(load.acknowledged) + dice.randrange(1, 60)
            wait_until(lambda load=load, target=target: len(load.acknowledged) >= target, 60, "the load did not go on", every=0.001)  # type: ignore[misc]
            process.kill()
            killed = time.monotonic()
            process.wait()
            sender.join()
        number = load.acknowledged[-1][0] + 1  # the one after it may have come in half
        settled += [sent for sent, at in load.acknowledged if sent <= flushed or at < killed - SETTLED_S]
        connection = sqlite3.connect(data / "otelkit.db")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        spans = dict(connection.execute("SELECT trace_id, count(*) FROM span GROUP BY trace_id").fetchall())
        connection.close()
        assert [sent for sent in settled if spans.get(sent.to_bytes(16, "big")) != _SPANS] == []
        assert set(spans.values()) == {_SPANS}, "a request is written as a whole"
        with Queries(data) as reading:
            values = {int(value) for series in reading.series("sent") for _, value in series.samples}
        assert set(settled) <= values
    assert len(settled) > KILLS * 5
