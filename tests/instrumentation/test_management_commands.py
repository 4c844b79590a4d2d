"""A management command is the root of a trace, and says when it last went well."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from opentelemetry import trace

from otelkit import startup
from otelkit.commands import runs_for_ever
from otelkit.testing import Telemetry, capture


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture({"commands": {"ignored": ["drain_orders"]}}) as telemetry:
        yield telemetry


class Command(BaseCommand):
    """Does what it is told to."""

    requires_system_checks: Any = ()

    def __init__(self, work: Any = lambda: None) -> None:
        super().__init__()
        self._work = work

    def handle(self, *args: Any, **options: Any) -> None:
        self._work()


def run(work: Any = lambda: None, name: str = "import_orders") -> None:
    Command(work).run_from_argv(["manage.py", name])


def query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_command_is_the_root_of_its_trace(telemetry):
    """A20, A26."""
    before = time.time()
    with telemetry.runtime.tracer.start_as_current_span("whatever stands around it"):
        run(query)
    span, queried = telemetry.span("manage.py import_orders"), telemetry.span("SELECT")
    assert (span["kind"], span["parent_span_id"], span["status"]) == ("INTERNAL", None, "UNSET")
    assert span["attributes"] == {"command": "import_orders", "process.exit.code": 0}
    assert (queried["parent_span_id"], queried["trace_id"]) == (span["span_id"], span["trace_id"])
    point = telemetry.point("command.duration", command="import_orders", outcome="ok")
    assert (point["count"], point["exemplars"][0]["span_id"]) == (1, span["span_id"])
    assert before <= telemetry.point("command.last_success.time", command="import_orders")["value"] <= time.time()
    assert not trace.get_current_span().get_span_context().is_valid
    startup.stop()
    assert BaseCommand.run_from_argv.__module__ == "django.core.management.base"


@pytest.mark.parametrize(
    ("raised", "expected", "error", "exit_code"),
    [
        (CommandError("no such file", returncode=3), SystemExit, "django.core.management.base.CommandError", 3),
        (SystemExit(4), SystemExit, "4", 4),
        (SystemExit("it is over"), SystemExit, "1", 1),
        (RuntimeError("planted"), RuntimeError, "RuntimeError", 1),
        (KeyboardInterrupt(), KeyboardInterrupt, "KeyboardInterrupt", 1),
    ],
)
def test_a_command_that_fails_says_how_and_is_no_success(telemetry, raised, expected, error, exit_code):
    def fail() -> None:
        raise raised

    with pytest.raises(expected) as leaving, redirect_stderr(io.StringIO()):
        run(fail)
    if expected is not SystemExit:
        assert leaving.value is raised
    span = telemetry.span("manage.py import_orders")
    assert (span["status"], span["attributes"]["error.type"], span["attributes"]["process.exit.code"]) == ("ERROR", error, exit_code)
    assert telemetry.point("command.duration", command="import_orders", outcome="error")["count"] == 1
    assert "command.last_success.time" not in telemetry.metrics


def test_a_command_that_leaves_with_zero_went_well(telemetry):
    def leave() -> None:
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        run(leave)
    assert telemetry.span("manage.py import_orders")["status"] == "UNSET"
    assert telemetry.point("command.duration", outcome="ok")["count"] == 1


def test_commands_that_a_command_calls_belong_to_it(telemetry):
    run(lambda: call_command(Command(lambda: run(query, "import_customers"))))
    assert [span["name"] for span in telemetry.spans] == ["SELECT", "manage.py import_orders"]


@pytest.mark.parametrize("name", ["runserver", "shell_plus", "db_worker", "rqworker", "qcluster", "consumers", "test", "drain_orders"])
def test_what_runs_until_somebody_ends_it_is_no_span(telemetry, name):
    """Or everything that it ever does would be one trace."""
    run(query, name)
    assert telemetry.spans == []
    assert "command.duration" not in telemetry.metrics


@pytest.mark.parametrize("name", ["migrate", "import_orders", "run_report", "clearsessions", "test_mail", "check_servers_now"])
def test_other_names_say_nothing_of_that_kind(name):
    assert runs_for_ever(name) is (name == "check_servers_now")


def test_a_broken_sampler_costs_the_span_and_not_the_command(telemetry, monkeypatch, caplog):
    """B6."""
    monkeypatch.setattr(telemetry.runtime.tracer, "start_span", lambda *args: 1 / 0)
    done: list[str] = []
    run(lambda: done.append("done"))
    assert done == ["done"]
    assert "could not trace manage.py import_orders" in caplog.text
    assert telemetry.point("command.duration", outcome="ok")["count"] == 1
