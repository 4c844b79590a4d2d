"""A process waits until there is something to tell, and a server's master waits for ever: no slot, no thread, nothing sent."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from opentelemetry import trace

from otelkit import metrics as business
from otelkit import startup
from otelkit.config import load
from otelkit.metrics import user_instruments
from otelkit.presence import Presence
from otelkit.servers import UNKNOWN, Role, Server
from otelkit.startup import Runtime
from tests.instrumentation.test_export import spans_in
from tests.project.models import Item
from tests.receivers import hanging_receiver, receiver, refused_endpoint

ROOT = Path(__file__).parents[2]
SALES = business.counter("business.presence.sales", unit="{sale}", help="Sales.", labels={"channel": ("web", "app")})
MASTER, WORKER = Server("gunicorn", Role.MASTER), Server("gunicorn", Role.WORKER, capacity=1)


Start = Callable[[Server], Runtime]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the kit as it starts in a process of that server, with an address to send to where nobody listens."""
    # Other tests in this process have asked OpenTelemetry for meters: that would be the first use.
    monkeypatch.setattr(user_instruments, "wait", lambda first_use: None)

    def start_as(server: Server) -> Runtime:
        monkeypatch.setattr(startup, "recognise", lambda: server)
        settings = {"logs": {"exporters": ["otlp"]}, "export": {"endpoint": refused_endpoint(), "shutdown_timeout": 0.0}}
        runtime = startup.start(load(settings, {}))
        assert runtime is not None
        return runtime

    yield start_as
    sending = export_threads()
    startup.stop()
    for thread in sending:  # the shutdown waits for none of them here, and the next test counts them
        thread.join(10)


def export_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "otelkit-export"]


def test_a_process_waits_until_it_has_something_to_tell(start):
    waiting = start(UNKNOWN)
    assert waiting.slot is None
    assert export_threads() == []
    assert "service.instance.id" not in waiting.resource
    waiting.presence.begin()
    assert waiting.slot is not None
    assert len(export_threads()) == 1
    assert str(waiting.resource["service.instance.id"]).endswith(f":{waiting.slot.number}")
    assert waiting.resource["process.pid"] == os.getpid()


USES: dict[str, Callable[[], object]] = {
    "a request": lambda: Client().get("/items/7"),
    "a span": lambda: trace.get_tracer("tests").start_span("sold").end(),
    "a line for the collector": lambda: logging.getLogger("shop").warning("sold"),
    "a business metric": lambda: SALES.add(1, channel="web"),
    "a query": Item.objects.count,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_recorded_first_ends_the_waiting(start, use):
    """In a script, and in a server that we do not know."""
    waiting = start(UNKNOWN)
    use()
    assert waiting.slot is not None
    assert len(export_threads()) == 1


@pytest.mark.parametrize(
    "use", [use for name, use in USES.items() if name != "a request"], ids=[name for name in USES if name != "a request"]
)
def test_a_master_waits_whatever_it_records(start, use):
    """B7: what a project does while it is loaded, say in ready()."""
    waiting = start(MASTER)
    use()
    assert waiting.slot is None
    assert export_threads() == []


def test_a_master_that_answers_requests_is_none(start):
    """Should a server be taken for what it is not, its telemetry is late, not lost."""
    waiting = start(MASTER)
    Client().get("/items/7")
    assert waiting.slot is not None


def test_a_worker_begins_at_once(start):
    """Also one that nobody asks: its silence would look like its absence."""
    assert start(WORKER).slot is not None


def test_the_first_measurement_counts(start):
    waiting = start(UNKNOWN)
    SALES.add(3, channel="web")
    SALES.add(4, channel="web")
    (snapshot,) = [found for found in waiting.aggregator.collect() if found.metric is SALES.metric]
    assert {point.labels: point.value for point in snapshot.numbers} == {("web",): 7, ("app",): 0, ("_OTHER",): 0}


def test_many_threads_begin_once():
    begun, through = [], threading.Barrier(8)
    presence = Presence(lambda: begun.append(threading.get_ident()))

    def use() -> None:
        through.wait()
        presence.use()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1


def test_the_end_waits_for_who_is_just_beginning():
    """Or the thread that it starts would run on, behind the end."""
    started, may_go, order = threading.Event(), threading.Event(), []

    def begin() -> None:
        started.set()
        may_go.wait(10)
        order.append("begun")

    presence = Presence(begin)
    beginner = threading.Thread(target=presence.begin)
    beginner.start()
    assert started.wait(10)
    closer = threading.Thread(target=lambda: (presence.close(), order.append("closed")))
    closer.start()
    closer.join(0.1)
    assert closer.is_alive()
    may_go.set()
    closer.join(10)
    beginner.join(10)
    assert order == ["begun", "closed"]


def test_after_the_end_nothing_begins():
    begun: list[int] = []
    presence = Presence(lambda: begun.append(1))
    presence.close()
    presence.use()
    presence.begin()
    assert begun == []


def test_what_goes_wrong_at_the_beginning_does_not_reach_the_application(caplog):
    """B6."""
    presence = Presence(lambda: {}["no such slot"])
    presence.use()
    assert "otelkit could not begin to send" in caplog.text


def run(script: str, endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    prepared = textwrap.dedent("""
        import os, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django
        django.setup()
        from opentelemetry import trace
        from otelkit import startup
        from otelkit.config import load
        runtime = startup.start(load({"logs": {"exporters": []}, "export": {"endpoint": sys.argv[1], "interval": 30.0}}, {}))
    """)
    command = [sys.executable, "-c", prepared + textwrap.dedent(script), endpoint, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_that_records_nothing_sends_nothing_and_waits_for_nobody():
    """B1: a cron job with nothing to tell is not held up by a collector that hangs."""
    with hanging_receiver() as endpoint:
        done = run('print("done", runtime.exporter._thread, runtime.slot)', endpoint)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done None None\n", "")


def test_what_is_recorded_while_the_interpreter_ends_is_sent():
    """B3: Python 3.12 and newer start no thread any more by then."""
    with receiver() as running:
        done = run('import atexit; atexit.register(lambda: trace.get_tracer("tests").start_span("last").end())', running.endpoint)
        assert (done.returncode, done.stderr) == (0, "")
        assert [span.name for span, _ in spans_in(running.requests)] == ["last"]


def test_the_line_that_begins_is_printed_once_and_sent_once():
    """It is the first thing that is recorded: its handlers are at work while the process learns its name."""
    with receiver() as running:
        done = run(
            """
            import logging
            startup.stop()
            environ = {"OTEL_LOGS_EXPORTER": "console,otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": sys.argv[1], "OTELKIT_LOGS_LEVEL": "INFO"}
            runtime = startup.start(load({}, environ))
            for word in ("first", "second"):
                logging.getLogger("shop").warning(word)
            """,
            running.endpoint,
        )
        assert done.returncode == 0, done.stderr
        printed = [json.loads(line) for line in done.stdout.splitlines()]
        bodies = b"".join(gzip.decompress(body) for path, _, body in running.requests if path == "/v1/logs")
    assert [line["message"] for line in printed if line["logger"] == "shop"] == ["first", "second"]
    assert "service.instance.id" in printed[-1]
    assert (bodies.count(b"first"), bodies.count(b"second")) == (1, 1)


@pytest.mark.parametrize("asked", ["before", "after"])
def test_who_asks_for_a_meter_has_something_to_tell(asked):
    """Through OpenTelemetry's API, whose instruments are the SDK's: as early as the module is imported, as a rule."""
    with receiver() as running:
        done = run(
            """
            from opentelemetry import metrics
            startup.stop()
            meter = metrics.get_meter("shop") if sys.argv[2] == "before" else None
            runtime = startup.start(runtime.config)
            assert (runtime.slot is None) == (sys.argv[2] == "after")
            (meter or metrics.get_meter("shop")).create_counter("shop.sold").add(5)
            assert runtime.slot is not None
            """,
            running.endpoint,
            asked,
        )
        assert done.returncode == 0, done.stderr
        assert b"shop.sold" in b"".join(gzip.decompress(body) for _, _, body in running.requests)


@pytest.mark.parametrize("parent_records", [False, True])
def test_a_child_sends_what_it_recorded_and_nothing_else(parent_records):
    """B7: whether its parent waited or had begun, with a slot of its own as soon as it has something to tell."""
    with receiver() as running:
        done = run(
            """
            def record(name):
                trace.get_tracer("tests").start_span(name).end()

            if sys.argv[2] == "True":
                record("parent")
            silent = os.fork()
            if silent == 0:
                assert runtime.slot is None
                sys.exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(silent, 0)[1]) == 0
            busy = os.fork()
            if busy == 0:
                record("child")
                print(runtime.slot.number)
                sys.exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(busy, 0)[1]) == 0
            """,
            running.endpoint,
            str(parent_records),
        )
        assert done.returncode == 0, done.stderr
        names = sorted(span.name for span, _ in spans_in(running.requests))
        assert names == (["child", "parent"] if parent_records else ["child"])
        slots = {span.name: resource["service.instance.id"].rpartition(":")[2] for span, resource in spans_in(running.requests)}
        assert slots["child"] == done.stdout.strip()
        assert slots["child"] != slots.get("parent")
