"""However a process ends short of SIGKILL, what it recorded is sent first, and it does end."""

from __future__ import annotations

import asyncio
import gzip
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from django.core.handlers.asgi import ASGIHandler
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelkit import startup
from otelkit.testing import capture
from tests.receivers import Receiver, receiver

PREPARE = """
import multiprocessing, os, signal, sys, threading, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from opentelemetry import trace
from otelkit import startup
from otelkit.config import load

def work(number):
    with trace.get_tracer("tests").start_as_current_span("work"):
        return number

runtime = startup.start(load({"export": {"endpoint": sys.argv[1], "interval": 30.0, "shutdown_timeout": LEAVES_WITHIN}}, {}))
"""


def run(script: str, *arguments: str, leaves_within: float = 3.0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PREPARE.replace("LEAVES_WITHIN", str(leaves_within)) + textwrap.dedent(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def names_of_spans(running: Receiver) -> list[str]:
    return [
        span.name
        for path, _, body in running.requests
        if path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(gzip.decompress(body)).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_sigterm_ends_a_process_that_is_just_queueing_a_span():
    """B3, B7: the handler runs in the middle of whatever was interrupted, here with the queue's lock held."""
    with receiver() as running:
        done = run(
            """
            for number in range(20):
                work(number)
            with runtime.exporter.accounts.of["traces"].lock:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.1)  # the handler has run by now, and its thread waits for this lock
            time.sleep(30)
            """,
            running.endpoint,
        )
        assert done.returncode == -signal.SIGTERM, done.stderr
        assert names_of_spans(running).count("work") == 20


def test_a_second_sigterm_does_not_wait():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        done = run(
            """
            work(1)
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
            """,
            f"http://127.0.0.1:{silent.getsockname()[1]}",
            leaves_within=29.0,
        )
    assert done.returncode == -signal.SIGTERM
    assert time.monotonic() - began < 20  # not the 29 s that leaving may take, on a busy machine either


@pytest.mark.parametrize("kind", ["Process", "ProcessPoolExecutor"])
def test_children_of_multiprocessing_lose_nothing(kind):
    """B3, B7: they leave by os._exit, so that atexit is not enough."""
    with receiver() as running:
        done = run(
            """
            fork = multiprocessing.get_context("fork")
            if sys.argv[2] == "Process":
                children = [fork.Process(target=work, args=(number,)) for number in range(4)]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
            else:
                from concurrent.futures import ProcessPoolExecutor
                with ProcessPoolExecutor(2, mp_context=fork) as executor:
                    assert sum(executor.map(work, range(4))) == 6
            """,
            running.endpoint,
            kind,
        )
        assert done.returncode == 0, done.stderr
        assert names_of_spans(running).count("work") == 4


def test_children_of_multiprocessing_die_of_sigterm_as_ever():
    """Pool.terminate() counts on it: a handler in Python may not run while a worker waits for the pool's lock."""
    with receiver() as running:
        done = run(
            """
            def handler():
                return signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

            with multiprocessing.get_context("fork").Pool(1) as pool:
                print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, pool.apply(handler))
            """,
            running.endpoint,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False True"


def test_whoever_stops_second_waits_for_the_first():
    """The second may end the process as soon as it returns."""
    with capture() as telemetry:
        sending, may_end, order = threading.Event(), threading.Event(), []

        def slow_end() -> None:
            sending.set()
            may_end.wait(10)
            order.append("sent")

        def second() -> None:
            startup.stop()
            order.append("second is back")

        telemetry.runtime.undo.callback(slow_end)
        threads = [threading.Thread(target=startup.stop), threading.Thread(target=second)]
        threads[0].start()
        assert sending.wait(10)
        threads[1].start()
        threads[1].join(0.1)
        assert threads[1].is_alive()
        may_end.set()
        for thread in threads:
            thread.join(10)
        assert order == ["sent", "second is back"]


def test_an_asgi_server_that_shuts_down_stops_the_kit():
    """ASGI's lifespan protocol, which Django answers with a ValueError; without the kit it still does."""

    async def live(application: ASGIHandler) -> list[str]:
        asked = iter(["lifespan.startup", "lifespan.shutdown"])
        said: list[str] = []

        async def receive() -> dict[str, str]:
            return {"type": next(asked)}

        async def send(message: dict[str, str]) -> None:
            said.append(message["type"])

        await application({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
        return said

    with capture():
        assert asyncio.run(live(ASGIHandler())) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        assert startup.current() is None
    with pytest.raises(ValueError, match="lifespan"):
        asyncio.run(live(ASGIHandler()))
