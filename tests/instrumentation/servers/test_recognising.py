"""Which server this is, from the calls in which it loads the application, and what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from otelkit import startup
from otelkit.config import load
from otelkit.servers import UNKNOWN, Role, Server, recognise, recognising, uwsgi


def called_in(*modules: str) -> Server:
    """What is recognised below calls of functions in these modules, outermost first."""
    ask: Callable[[], Any] = recognise
    for module in reversed(modules):
        namespace: dict[str, Any] = {"__name__": module, "ask": ask}
        exec("def call():\n    return ask()", namespace)
        ask = namespace["call"]
    return ask()  # type: ignore[no-any-return]


def test_a_script_is_no_server():
    assert recognise() is UNKNOWN
    assert "no server that is known" in str(UNKNOWN)


@pytest.mark.parametrize(
    ("modules", "name", "role"),
    [
        (("gunicorn.app.base", "gunicorn.arbiter"), "gunicorn", Role.MASTER),
        (("gunicorn.app.base", "gunicorn.config"), "gunicorn", Role.MASTER),  # its configuration file sets Django up
        (("gunicorn.arbiter", "gunicorn.dirty.worker"), "", Role.UNKNOWN),  # it runs jobs
        (("gunicornish",), "", Role.UNKNOWN),
        (("uvicorn.main", "uvicorn.config"), "uvicorn", Role.WORKER),
        (("gunicorn.arbiter", "uvicorn.config"), "gunicorn", Role.MASTER),
        (("hypercorn.run",), "hypercorn", Role.MASTER),  # with its reloader
        (("hypercorn.run", "hypercorn.asyncio.run"), "hypercorn", Role.WORKER),
    ],
)
def test_the_calls_say_what_a_process_is(modules, name, role):
    server = called_in(*modules)
    assert (server.name, server.role) == (name, role)


def test_a_server_that_has_changed_inside_is_one_that_we_do_not_know(monkeypatch):
    """B6."""
    monkeypatch.setattr(recognising, "_KNOWN", (lambda calls: {}["renamed"],))
    assert recognise() is UNKNOWN


@pytest.fixture
def inside_uwsgi(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that uWSGI puts into its processes, here into ours: the first worker of an old version without threads."""
    module = ModuleType("uwsgi")
    module.__dict__.update(
        version_info=(2, 0, 26, 0, b""),
        opt={"module": b"shop.wsgi"},
        cores=1,
        worker_id=lambda: 1,
        mule_id=lambda: 0,
        i_am_the_spooler=lambda: False,
    )
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    return module


def test_uwsgi_without_threads_is_said_in_one_loud_line(inside_uwsgi, caplog):
    """A3: its Python threads run only while a request is answered, so telemetry leaves late."""
    startup.start(load({"traces": {"exporters": []}, "metrics": {"exporters": []}, "logs": {"exporters": []}}, {}))
    startup.stop()
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "Set enable-threads = true" in line


@pytest.mark.parametrize(
    "change",
    [
        {"opt": {"enable-threads": True}},
        {"opt": {b"threads": b"4"}},
        {"version_info": (2, 0, 27, 0, b"")},
        {"version_info": (2, 1, 0, 0, b"")},
    ],
)
def test_uwsgi_with_threads_is_not_worth_a_line(inside_uwsgi, change):
    inside_uwsgi.__dict__.update(change)
    server = recognise()
    assert (server.name, server.role, server.warning) == ("uwsgi", Role.WORKER, "")


@pytest.mark.parametrize("change", [{"mule_id": lambda: 1}, {"i_am_the_spooler": lambda: True}])
def test_uwsgis_helpers_work_but_answer_no_requests(inside_uwsgi, change):
    inside_uwsgi.__dict__.update({"worker_id": lambda: 0, **change})
    assert recognise() is UNKNOWN


def test_a_file_of_the_project_that_is_called_uwsgi_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(DEBUG=True))
    assert not uwsgi.is_here()
    assert recognise() is UNKNOWN


def test_the_projects_own_fork_hook_is_still_called(inside_uwsgi):
    """A26: and alone again after the end."""
    called: list[str] = []
    inside_uwsgi.post_fork_hook = own = lambda: called.append("theirs")
    undo = uwsgi.follow_forks(lambda: called.append("ours"))
    inside_uwsgi.post_fork_hook()
    assert called == ["ours", "theirs"]
    undo()
    assert inside_uwsgi.post_fork_hook is own
