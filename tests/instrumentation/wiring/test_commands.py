"""Management commands in processes of their own: which ones tell something, and what is left of one that is ended."""

from __future__ import annotations

import signal
import subprocess

from tests.instrumentation.libraries.workers import received
from tests.instrumentation.wiring.project import LINE, PYTHON, Project
from tests.receivers import Receiver

WAITS = """
import time
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def handle(self, **options):
        print("at work", flush=True)
        time.sleep(60)
"""


def test_a_short_command_of_djangos_tells_something_where_the_settings_name_it(project: Project, running: Receiver):
    """A20."""
    project.settings(LINE)
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": running.endpoint}
    silent = project.run(PYTHON, "manage.py", "migrate", **environment)
    assert running.requests == []
    assert "otelkit" not in silent.stdout + silent.stderr
    project.run(PYTHON, "manage.py", "migrate", OTELKIT_COMMANDS_FOLLOWED="migrate,clearsessions", **environment)
    found = received(running)
    assert found.span("manage.py migrate")["attributes"] == {"command": "migrate", "process.exit.code": 0}
    assert found.point("command.duration", command="migrate", outcome="ok")["count"] == 1
    assert found.point("command.last_success.time", command="migrate")["value"] > 0


def test_a_short_command_of_djangos_runs_whatever_the_settings_say(project: Project):
    """One that mends a setting must not need it mended."""
    project.settings(LINE, 'OTELKIT["comands"] = {"followed": ["shell"]}\n')
    assert "4711" in project.run(PYTHON, "manage.py", "shell", "-c", "print(4711)").stdout


def test_a_command_that_is_terminated_has_sent_its_span(project: Project, running: Receiver):
    """B3: a job that took too long, and is told to end."""
    project.settings(LINE)
    for package in ("shop/management", "shop/management/commands"):
        project.write(f"{package}/__init__.py", "")
    project.write("shop/management/commands/pack_orders.py", WAITS)
    environment = project.environment(OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    command = [PYTHON, "manage.py", "pack_orders"]
    with subprocess.Popen(command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "at work" in process.stdout.readline()
        process.terminate()
        assert process.wait(30) == -signal.SIGTERM
    span = received(running).span("manage.py pack_orders")
    assert (span["status"], span["attributes"]) == ("ERROR", {"command": "pack_orders", "error.type": "interrupted"})
    assert received(running).point("command.duration", command="pack_orders", outcome="error")["count"] == 1
