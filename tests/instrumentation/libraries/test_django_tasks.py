"""Tasks of Django join the trace that enqueued them: Django 6's own, or its backport's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import pytest
from django.test import override_settings
from opentelemetry import trace

from otelkit.tasks.state import CURRENT_TASK
from otelkit.testing import Telemetry, capture
from tests.instrumentation.libraries.workers import received
from tests.instrumentation.wiring.project import PYTHON, make_project
from tests.receivers import receiver

PACKAGE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
tasks: Any = pytest.importorskip(PACKAGE, reason=f"{PACKAGE} is not installed; before Django 6 it comes with: pip install django-tasks")
IMMEDIATE = {"default": {"BACKEND": f"{PACKAGE}.backends.immediate.ImmediateBackend", "QUEUES": ["default", "slow"]}}
ME = __name__


def ship() -> str:
    with trace.get_tracer("shop").start_as_current_span("pack"):
        return "shipped"


def fail() -> None:
    raise ValueError("planted")


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with override_settings(TASKS=IMMEDIATE), capture() as telemetry:
        yield telemetry


def test_a_task_that_runs_at_once_is_a_part_of_what_enqueues_it(telemetry):
    """A20."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        result = tasks.task(ship).using(queue_name="slow").enqueue()
    work, send, process, pack = (telemetry.span(name) for name in ("work", f"send {ME}.ship", f"process {ME}.ship", "pack"))
    assert [send["parent_span_id"], process["parent_span_id"], pack["parent_span_id"]] == [
        work["span_id"],
        send["span_id"],
        process["span_id"],
    ]
    assert send["attributes"] == {
        "task.name": f"{ME}.ship",
        "queue": "slow",
        "messaging.system": "django_tasks",
        "messaging.operation.name": "send",
        "messaging.destination.name": "slow",
        "messaging.message.id": str(result.id),
    }
    assert process["attributes"] == {"task.name": f"{ME}.ship", "queue": "slow", "messaging.message.id": str(result.id)}
    assert telemetry.point("task.duration", task_name=f"{ME}.ship", queue="slow", outcome="ok")["count"] == 1
    assert telemetry.point("task.active", queue="slow")["value"] == 0
    assert "task.wait.duration" not in telemetry.metrics


def test_a_task_that_fails_is_an_error(telemetry):
    """A20."""
    tasks.task(fail).enqueue()
    span = telemetry.span(f"process {ME}.fail")
    assert (span["status"], span["attributes"]["error.type"], span["events"][0]["name"]) == ("ERROR", "ValueError", "exception")
    assert telemetry.point("task.duration", outcome="error")["count"] == 1
    assert telemetry.point("errors.captured")["attributes"] == {"exception.type": "ValueError", "handled": False, "task.name": f"{ME}.fail"}
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_task_that_somebody_interrupts_is_over(telemetry):
    """A7: Django tells of no end then."""
    with pytest.raises(KeyboardInterrupt):
        tasks.task(interrupt).enqueue()
    assert telemetry.point("task.duration", task_name=f"{ME}.interrupt", outcome="error")["count"] == 1
    assert telemetry.point("task.active")["value"] == 0
    assert (CURRENT_TASK.get(), trace.get_current_span().get_span_context().is_valid) == (None, False)


def test_a_task_that_is_enqueued_by_a_coroutine_has_its_trace(telemetry):
    """A20."""

    async def enqueue() -> None:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            await tasks.task(ship).aenqueue()

    asyncio.run(enqueue())
    assert telemetry.span(f"send {ME}.ship")["parent_span_id"] == telemetry.span("work")["span_id"]
    assert telemetry.span("pack")["trace_id"] == telemetry.span("work")["trace_id"]


def test_a_backend_that_refuses_is_an_error_of_the_sender(telemetry, monkeypatch):
    """B6."""
    wanted = tasks.task(ship)
    monkeypatch.setattr(type(wanted.get_backend()), "enqueue", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wanted.enqueue()
    span = telemetry.span(f"send {ME}.ship")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "ZeroDivisionError")


def test_after_the_end_django_is_as_it_was():
    """A26."""
    base, signals = import_module(f"{PACKAGE}.base"), import_module(f"{PACKAGE}.signals")
    before = (base.Task.enqueue, base.Task.aenqueue, len(signals.task_started.receivers), len(signals.task_finished.receivers))
    with capture():
        assert base.Task.enqueue is not before[0]
    assert (base.Task.enqueue, base.Task.aenqueue, len(signals.task_started.receivers), len(signals.task_finished.receivers)) == before


SHOP = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
USE_TZ = True
"""
TASKS = f"""
from {PACKAGE} import task

@task
def ship():
    print("shipped")
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
from shop.tasks import ship

urlpatterns = [path("orders", lambda request: HttpResponse(str(ship.enqueue().id)))]
"""


WAITING = """
import django
django.setup()
from otelkit.libraries.task_rows import ask
for queue, waiting in ask().items():
    print(queue, waiting.depth, 0 <= waiting.oldest_age < 600 and waiting.has_worker is None)
"""


def waiting(project: Any) -> str:
    """What the kit finds in the table: the queue, how many tasks wait in it, and whether the oldest is as old as it may be."""
    off = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "DJANGO_SETTINGS_MODULE": "shop.settings"}
    return str(project.run(PYTHON, "-c", WAITING, **off).stdout).strip().splitlines()[-1]


@pytest.mark.skipif(find_spec("django_tasks_db") is None, reason="needs the database backend: pip install django-tasks-db")
def test_a_worker_of_the_database_backend_goes_on_with_the_trace(tmp_path: Path):
    """A20: a request, and a worker that is another process."""
    project = make_project(tmp_path)
    apps = [*(["django_tasks"] if PACKAGE == "django_tasks" else []), "django_tasks_db", "shop"]
    project.write("shop/tasks.py", TASKS)
    project.write("shop/urls.py", URLS)
    project.settings(str(apps), SHOP)
    project.run(PYTHON, "manage.py", "migrate", "--run-syncdb")
    project.settings(str(["otelkit", *apps]), SHOP)
    with receiver() as running:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": running.endpoint}
        assert waiting(project) == "default 0 True"
        project.run(PYTHON, "ask.py", "shop.wsgi", "/orders", **environment)
        assert waiting(project) == "default 1 True"
        project.run(PYTHON, "manage.py", "db_worker", "--batch", "--no-startup-delay", "--interval", "0.01", **environment)
        found = received(running)
    request, send, process = (found.span(name) for name in ("GET /orders", "send shop.tasks.ship", "process shop.tasks.ship"))
    assert (send["parent_span_id"], process["parent_span_id"]) == (request["span_id"], send["span_id"])
    assert {span["trace_id"] for span in (request, send, process)} == {request["trace_id"]}
    assert process["attributes"]["messaging.message.id"] == send["attributes"]["messaging.message.id"]
    assert process["attributes"]["task.wait_ms"] > 0
    assert found.point("task.wait.duration", queue="default", outcome="ok")["count"] == 1
    assert found.point("worker.up", queue="default")["value"] == 1
    assert waiting(project) == "default 0 True"
    assert "manage.py db_worker" not in {span["name"] for span in found.spans}
    # A worker without the kit does not look at what we left in the row.
    project.run(PYTHON, "ask.py", "shop.wsgi", "/orders", OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none")
    project.settings(str(apps), SHOP)
    assert "shipped" in project.run(PYTHON, "manage.py", "db_worker", "--batch", "--no-startup-delay").stdout
