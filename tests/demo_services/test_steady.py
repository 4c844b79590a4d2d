"""A steady run: fifty requests a second for minutes, and nothing fails, nothing is lost, nothing grows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from otelkit.catalog import labels as l
from otelkit.catalog import metrics as m
from otelkit.catalog.metrics import Metric
from otelkit.catalog.naming import label_name, series_name
from otelkit_demo.manifest import SERVICES, Service
from otelkit_demo.memory import taken_by
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo, running_demo

pytestmark = pytest.mark.soak

RATE = os.environ.get("DEMO_STEADY_RATE", "50")
MINUTES = float(os.environ.get("DEMO_STEADY_MINUTES", "10"))
WARM_UP_MINUTES = min(2.0, MINUTES / 2)
GROWTH = 1.10
EXPECTED = {"200", "201", "202", "204", "401", "404", "409"}
"""What customers are told: also that an order takes longer, a password is wrong, a product unknown, and the signed teapot sold out."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo without a load of its own, so that ours can end before it does."""
    with running_demo(tmp_path_factory.mktemp("steady") / "data", "--load", "0", "--minutes", "60") as demo:
        yield demo


def send(demo: RunningDemo, minutes: float, seed: int) -> dict[str, int]:
    """Send the load from a process of its own. Returns how often each answer came."""
    call = [sys.executable, "-m", "otelkit_demo.load", "--target", demo.url("gateway"), "--rate", RATE]
    said = subprocess.run([*call, "--minutes", str(minutes), "--seed", str(seed)], capture_output=True, text=True, check=True).stdout
    counts = (part.split(" x ") for part in said.strip().split(", "))
    return {answer: int(count) for count, answer in counts}


def memory(demo: RunningDemo) -> dict[str, int]:
    """Bytes of all processes below the supervisor, by what they were started as. It itself is of our group, and so of our size."""
    taken = taken_by({os.getpgid(process.pid) for process in demo.family()} - {os.getpgrp()})
    assert taken
    return {f"{command(leader)} ({leader})": one.memory for leader, one in taken.items()}


def command(pid: int) -> str:
    """What follows ``python -m``, without its options."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[2:]
    return " ".join(word for word in words if word.isidentifier() or word.startswith("otelkit_demo."))


def rows(database: Path, query: str) -> set[str]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return {str(row[0]) for row in connection.execute(query)}


def newest(demo: RunningDemo, metric: Metric, service: str, signal: str) -> dict[str, float]:
    """The newest value of each instance."""
    values: dict[str, float] = {}
    with demo.queries as queries:
        for series in queries.series(series_name(metric), service_name=service, signal=signal):
            instance = series.labels[label_name(l.SERVICE_INSTANCE_ID)]
            values[instance] = values.get(instance, 0.0) + series.samples[-1][1]
    return values


@dataclass(frozen=True, slots=True)
class Steady:
    """A run that has ended: how often each answer came, and bytes of memory after the warm-up and at the end."""

    demo: RunningDemo
    answers: dict[str, int]
    before: dict[str, int]
    after: dict[str, int]


@pytest.fixture(scope="module")
def steady(quiet: RunningDemo) -> Steady:
    warm = send(quiet, WARM_UP_MINUTES, seed=1)
    before = memory(quiet)
    answers = send(quiet, MINUTES - WARM_UP_MINUTES, seed=2)
    together = {answer: warm.get(answer, 0) + answers.get(answer, 0) for answer in warm | answers}
    return Steady(quiet, together, before, memory(quiet))


def test_nothing_fails(steady: Steady):
    """No 5xx, nobody who got no answer, and no journey for which no customer was free."""
    assert not {answer: count for answer, count in steady.answers.items() if answer not in EXPECTED}


def test_memory_does_not_grow(steady: Steady):
    rows = [f"{steady.before.get(who, 0) / 2**20:6.0f} MiB -> {after / 2**20:6.0f} MiB  {who}" for who, after in steady.after.items()]
    assert sum(steady.after.values()) < sum(steady.before.values()) * GROWTH, "\n".join(rows)


def test_no_event_is_lost(steady: Steady):
    sent = rows(steady.demo.folder / "orders.sqlite3", "SELECT event_id FROM otelkit_outbox")
    assert sent

    def missing() -> set[str]:
        return sent - rows(steady.demo.folder / "notifications.sqlite3", "SELECT event_id FROM otelkit_inbox WHERE state = 'done'")

    wait_until(lambda: not missing(), 120, "events of orders are missing in the inbox of notifications", every=1)


@pytest.mark.parametrize("signal", ["traces", "logs"])
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_everything_is_accounted_for(steady: Steady, service: Service, signal: str):
    """B2: created is exported, dropped or queued, in each process; and nothing is dropped."""

    def unaccounted() -> dict[str, float]:
        created = newest(steady.demo, m.TELEMETRY_CREATED, service.name, signal)
        accounts = [
            newest(steady.demo, metric, service.name, signal) for metric in (m.TELEMETRY_EXPORTED, m.TELEMETRY_DROPPED, m.TELEMETRY_QUEUED)
        ]
        return {who: made - sum(account.get(who, 0) for account in accounts) for who, made in created.items()}

    # Once nothing is on its way any more.
    wait_until(lambda: not any(unaccounted().values()), 60, f"{signal} of {service.name} are unaccounted for", every=1)
    assert not any(newest(steady.demo, m.TELEMETRY_DROPPED, service.name, signal).values())
