"""A Celery worker and beat as subprocesses, the receiver that their processes send to, and a worker in a thread."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker

from otelkit.testing.received import Received
from tests.backends import wait_until
from tests.brokers import running_rabbitmq
from tests.instrumentation.libraries.caching import NO_REDIS, a_redis
from tests.instrumentation.servers.running import ROOT, environment_of
from tests.receivers import Receiver

START_SECONDS = 60.0
STOP_SECONDS = 60.0
WORK_SECONDS = 120.0
APP = "tests.instrumentation.libraries.celery_shop.app"


@dataclass
class Worker:
    """A worker, or a beat, that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def children(self) -> set[int]:
        """Process ids of its pool."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return {int(pid) for children in tasks for pid in children.read_text().split()}

    @property
    def text(self) -> str:
        """Everything that its processes wrote so far."""
        return self.log.read_text(errors="replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines among it."""
        found = []
        for line in self.text.splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def wait_until(self, condition: Callable[[], object], message: str) -> None:
        """Until the condition holds. Fails with what the worker wrote last."""
        try:
            wait_until(condition, WORK_SECONDS, message)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.text[-4000:]}") from error

    def stop(self) -> int:
        """Asks it to end when its tasks have; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def redis_broker(folder: Path) -> Iterator[str]:
    """The address of a Redis of our own, on a free port. Skips the test where there is none."""
    if shutil.which("redis-server") is None:
        pytest.skip(NO_REDIS)
    pytest.importorskip("redis", reason="kombu needs the package redis for it: pip install redis")
    with a_redis(folder) as address:
        yield f"{address}/0"


@contextmanager
def rabbitmq_broker(folder: Path) -> Iterator[str]:
    """The address of a RabbitMQ of our own, on free ports. Skips the test where it is not installed."""
    with running_rabbitmq(folder) as broker:
        yield broker.address


@contextmanager
def worker(folder: Path, endpoint: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Worker]:
    """A worker of the shop that takes tasks. Its processes send only when they end, unless the environment says otherwise."""
    words = ["worker", "--without-gossip", "--without-mingle", "-l", "INFO", *arguments]
    with _celery(folder, endpoint, words, " ready.", environment or {}) as running:
        yield running


@contextmanager
def beat(folder: Path, endpoint: str, *, environment: Mapping[str, str] | None = None) -> Iterator[Worker]:
    """The shop's beat, which sends what the environment's ``SHOP_SCHEDULE`` says."""
    words = ["beat", "-l", "INFO", "--schedule", str(folder / "schedule"), "--pidfile", "", "--max-interval", "1"]
    with _celery(folder, endpoint, words, "Starting...", environment or {}) as running:
        yield running


@contextmanager
def _celery(folder: Path, endpoint: str, words: Sequence[str], ready: str, environment: Mapping[str, str]) -> Iterator[Worker]:
    own = {"DJANGO_SETTINGS_MODULE": "tests.instrumentation.libraries.celery_shop.settings", "SHOP_FOLDER": str(folder)}
    environ = environment_of(folder, endpoint, own | dict(environment))
    log = folder / f"{words[0]}.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "celery", "-A", APP, *words]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True)
    running = Worker(process, log)
    try:
        wait_until(lambda: process.poll() is not None or ready in running.text, START_SECONDS, f"the {words[0]} does not start")
        assert process.poll() is None, running.text
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: whatever it left behind
        process.wait()


@contextmanager
def worker_thread(app: Celery) -> Iterator[None]:
    """A worker in a thread of this process. It leaves logging alone, which is pytest's: its handler would outlive the test's output."""

    def leave_logging_alone(**_: Any) -> None:
        """Celery configures nothing where somebody hears this signal."""

    signals.setup_logging.connect(leave_logging_alone, weak=False)
    try:
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            yield
    finally:
        signals.setup_logging.disconnect(leave_logging_alone)


def received(receiver: Receiver) -> Received:
    """What the receiver was sent so far."""
    with receiver.arrived:
        requests = list(receiver.requests)
    return Received([(path.rpartition("/")[2], gzip.decompress(body)) for path, _, body in requests])
