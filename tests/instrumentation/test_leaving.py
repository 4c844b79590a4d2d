"""B3: however a process ends, what it recorded has been sent; and where that cannot be, how much is lost is bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.instrumentation.test_export import spans_in
from tests.receivers import Receiver, hanging_receiver, receiver

SPANS = 100  # that each of the two programs below makes
ROOT = Path(__file__).parents[2]

SCRIPT = textwrap.dedent("""
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background has it ignored
    import django
    django.setup()
    from opentelemetry import trace
    from otelkit import startup
    from otelkit.config import load
    endpoint, ending, interval = sys.argv[1:]
    startup.start(load({"logs": {"exporters": []}, "export": {"endpoint": endpoint, "interval": float(interval)}}, {}))
    tracer = trace.get_tracer("shop")
    for number in range(100):
        tracer.start_span(f"sold {number}").end()
    print("ready", flush=True)
    if ending == "wait":
        time.sleep(60)
    if ending == "raise":
        raise RuntimeError("planted")
    sys.exit({"return": 0, "status": 3}[ending])
""")


@contextmanager
def script(endpoint: str, ending: str, interval: float = 30) -> Iterator[subprocess.Popen[str]]:
    """A script that has made its spans, none of which have left when the interval is long; it ends as told."""
    command = [sys.executable, "-c", SCRIPT, endpoint, ending, str(interval)]
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                process.kill()
                pytest.fail("".join(process.communicate()))
            yield process
        finally:
            process.kill()


def names_in(running: Receiver) -> list[str]:
    return sorted(span.name for span, _ in spans_in(running.requests))


EVERY_ONE_ONCE = sorted(f"sold {number}" for number in range(SPANS))


@pytest.mark.parametrize(("ending", "code"), [("return", 0), ("status", 3), ("raise", 1)])
def test_a_script_that_ends_by_itself_loses_nothing(ending, code):
    """B3: at its last line, by sys.exit(), by an exception that nobody catches."""
    with receiver() as running, script(running.endpoint, ending) as process:
        _, errors = process.communicate(timeout=20)
        assert process.returncode == code
        assert ("RuntimeError: planted" in errors) is (ending == "raise")
        assert names_in(running) == EVERY_ONE_ONCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_script_that_is_ended_by_a_signal_loses_nothing(number):
    """B3: and it dies of that signal, as its parent expects."""
    with receiver() as running, script(running.endpoint, "wait") as process:
        process.send_signal(number)
        process.communicate(timeout=20)
        assert process.returncode == -number
        assert names_in(running) == EVERY_ONE_ONCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_an_export_sends_nothing_twice(number):
    """B3: the exchange in progress is waited for."""
    signalled = threading.Event()
    with receiver() as running:

        def answer(_: int) -> tuple[int, dict[str, str], bytes]:
            assert signalled.wait(20)
            return 200, {}, b""

        running.answer = answer
        with script(running.endpoint, "wait", interval=0.05) as process:
            running.wait_for(1)
            process.send_signal(number)
            signalled.set()
            process.communicate(timeout=20)
            assert process.returncode == -number
        assert names_in(running) == EVERY_ONE_ONCE


def test_a_signal_during_an_export_that_never_ends_is_obeyed_in_time():
    """B1, B3: at most the setting's 3 s, and the interpreter's own end."""
    with hanging_receiver() as endpoint, script(endpoint, "wait", interval=0.05) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert process.returncode == -signal.SIGTERM
        assert "Traceback" not in errors


def test_a_process_that_is_killed_loses_only_what_is_younger_than_the_interval():
    """B3: the documented bound of SIGKILL. Nothing asks these spans to leave but the interval."""
    with receiver() as running, script(running.endpoint, "wait", interval=0.1) as process:
        with running.arrived:
            assert running.arrived.wait_for(lambda: len(spans_in(running.requests)) >= SPANS, 20)
        process.kill()
        process.communicate(timeout=20)
        assert process.returncode == -signal.SIGKILL
        assert names_in(running) == EVERY_ONE_ONCE


COMMAND = """
import signal, os
from django.core.management.base import BaseCommand, CommandError
from opentelemetry import trace

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("ending")

    def handle(self, ending, **options):
        tracer = trace.get_tracer("shop")
        for number in range(100):
            tracer.start_span(f"sold {number}").end()
        if ending == "error":
            raise CommandError("planted")
        if ending == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize(("ending", "code"), [("return", 0), ("error", 1), ("signal", -signal.SIGTERM)])
def test_a_management_command_loses_nothing(ending, code, tmp_path):
    """B3: with otelkit in INSTALLED_APPS, and nothing else done for it."""
    commands = tmp_path / "shop" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (commands, commands.parent, commands.parent.parent):
        (folder / "__init__.py").touch()
    (commands / "sell.py").write_text(COMMAND)
    with receiver() as running:
        (tmp_path / "shop_settings.py").write_text(
            f'SECRET_KEY = "x"\nINSTALLED_APPS = ["otelkit", "shop"]\n'
            f'OTELKIT = {{"export": {{"endpoint": "{running.endpoint}", "interval": 30.0}}}}\n'
        )
        environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop_settings"}
        environ["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "django", "sell", ending]
        run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == code, run.stderr
        assert [name for name in names_in(running) if name.startswith("sold")] == EVERY_ONE_ONCE
