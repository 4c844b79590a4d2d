"""start() and stop(): once, complete, and without a trace afterwards."""

from __future__ import annotations

import logging
import os
import signal
import threading

import httpx
import pytest
import requests
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from django.utils import log as django_log

from otelkit import startup
from otelkit.config import load
from otelkit.entry import reason_to_stay_off
from otelkit.errors import ConfigError
from otelkit.identity import Slot
from otelkit.testing import MemorySender, capture


def fingerprint() -> dict[str, object]:
    """Everything of this process that the kit changes."""
    root = logging.getLogger()
    return {
        "middleware": list(settings.MIDDLEWARE),
        "handlers": [(handler, handler.formatter) for handler in root.handlers],
        "level": root.level,
        "django": [(handler, handler.formatter) for handler in logging.getLogger("django").handlers],
        "django.server": (list(logging.getLogger("django.server").handlers), logging.getLogger("django.server").propagate),
        "httpx": (httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request),
        "requests": requests.adapters.HTTPAdapter.send,
        "sigterm": signal.getsignal(signal.SIGTERM),
        "asgi": ASGIHandler.__call__,
        "configure_logging": django_log.configure_logging,
        "threads": {thread.name for thread in threading.enumerate()} & {"otelkit-export"},
        "environment": dict(os.environ),
    }


def test_stop_restores_everything():
    """A26."""
    before = fingerprint()
    with capture({"logs": {"exporters": ["console", "otlp"]}, "metrics": {"exporters": ["otlp", "prometheus"]}}):
        changed = fingerprint()
        Client().get("/")
    assert fingerprint() == before
    for part in ("middleware", "handlers", "httpx", "requests", "threads"):
        assert changed[part] != before[part], part


def test_starting_twice_is_starting_once():
    """A26."""
    with capture() as telemetry:
        once = fingerprint()
        assert startup.start() is telemetry.runtime
        assert fingerprint() == once
        Client().get("/")
        assert len(telemetry.spans) == 1


def test_it_can_be_started_again_after_a_stop():
    for _ in range(3):
        with capture() as telemetry:
            Client().get("/items/1")
            assert telemetry.span("GET /items/{pk}")


@pytest.mark.parametrize("variable", [{"OTEL_SDK_DISABLED": "true"}, {"OTELKIT_ENABLED": "false"}])
def test_switched_off_it_leaves_nothing_behind(variable):
    """A25."""
    before = fingerprint()
    assert startup.start(load({}, variable)) is None
    assert fingerprint() == before
    assert Client().get("/").content == b"ok"


def test_the_middleware_listed_by_hand_stays_where_it_is(settings_middleware):
    listed = ["django.middleware.common.CommonMiddleware", startup.MIDDLEWARE]
    settings_middleware(listed)
    with capture() as telemetry:
        assert [*listed, startup.VIEW_MIDDLEWARE] == settings.MIDDLEWARE
        Client().get("/")
        assert len(telemetry.spans) == 1


@pytest.fixture
def settings_middleware():
    from django.test import override_settings

    overrides = []

    def override(middleware):
        overrides.append(override_settings(MIDDLEWARE=middleware))
        overrides[-1].enable()

    yield override
    for one in overrides:
        one.disable()


def test_bad_settings_stop_the_start_with_one_error(monkeypatch):
    """A23: in a deploy, a typo must not silence the telemetry."""
    monkeypatch.setattr(settings, "OTELKIT", {"traces": {"sample_rate": 1}}, raising=False)
    before = fingerprint()
    with pytest.raises(ConfigError, match='Did you mean "sample_ratio"'):
        startup.start()
    assert fingerprint() == before


def test_a_failure_of_ours_leaves_the_application_as_it_was(monkeypatch, caplog):
    """B6: the application goes on without telemetry."""
    from otelkit.metrics import pull

    monkeypatch.setattr(pull.PullCollector, "__init__", lambda *_: 1 / 0)
    before = fingerprint()
    assert startup.start(load({"metrics": {"exporters": ["prometheus"]}}, {}), sender=MemorySender()) is None
    assert fingerprint() == before
    assert "the application goes on without telemetry" in caplog.text


def test_the_start_line_says_who_and_whereto(caplog):
    caplog.set_level("INFO")
    with capture({"service": {"name": "orders"}, "metrics": {"exporters": []}}):
        pass
    (line,) = [record.getMessage() for record in caplog.records if record.name == "otelkit"]
    assert "observes orders (production): traces to otlp, metrics to nowhere, logs to console; OTLP to http://127.0.0.1:4318." in line


def test_a_name_is_found_where_none_is_given():
    with capture() as telemetry:
        assert telemetry.runtime.resource["service.name"] == "project"


def test_workers_take_the_lowest_free_slot(tmp_path):
    """design.md, decision 8: restarts take over a slot, so series do not churn."""
    first, second = Slot("orders", tmp_path), Slot("orders", tmp_path)
    assert (first.number, second.number) == (0, 1)
    first.release()
    third, other = Slot("orders", tmp_path), Slot("a b/c", tmp_path)
    assert (third.number, other.number) == (0, 0)
    for slot in (second, third, other):
        slot.release()


def test_without_a_folder_to_write_in_the_process_id_names_the_worker(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert Slot("orders", blocked).number == f"pid{os.getpid()}"


def test_a_folder_that_others_can_write_in_is_not_used(tmp_path):
    """Anybody may make a folder in /tmp: what lies in it may be a link to one of our files."""
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.mkdir()
    shared.chmod(0o777)
    private.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(private)
    assert Slot("orders", shared).number == Slot("orders", tmp_path / "link").number == f"pid{os.getpid()}"
    assert list(shared.iterdir()) == list(private.iterdir()) == []
    slot = Slot("orders", private)
    assert slot.number == 0
    slot.release()


@pytest.mark.parametrize(
    ("arguments", "stays_off"),
    [
        (["manage.py", "migrate"], True),
        (["manage.py", "collectstatic", "--noinput"], True),
        (["manage.py", "shell"], True),
        (["manage.py", "otelkit", "doctor"], True),
        (["manage.py", "runserver"], True),  # the autoreloader's parent
        (["manage.py", "runserver", "--noreload"], False),
        (["manage.py"], True),
        (["manage.py", "--help"], True),
        (["manage.py", "no_such_command"], True),
        (["/env/lib/django/__main__.py", "migrate"], True),
        (["/env/lib/gunicorn/__main__.py", "shop.wsgi"], False),
        (["/env/lib/gunicorn/__main__.py", "check"], False),
        (["/env/bin/pytest", "tests"], True),
        (["/env/lib/pytest/__main__.py", "tests"], True),
        (["/usr/bin/gunicorn", "shop.wsgi"], False),
        (["manage.py", "pack_orders"], False),
    ],
)
def test_only_processes_with_something_to_tell_start(arguments, stays_off, monkeypatch):
    monkeypatch.delenv("RUN_MAIN", raising=False)
    from django.core.management import get_commands

    monkeypatch.setitem(get_commands(), "otelkit", "otelkit")
    monkeypatch.setitem(get_commands(), "collectstatic", "django.contrib.staticfiles")
    monkeypatch.setitem(get_commands(), "pack_orders", "shop")
    assert bool(reason_to_stay_off(arguments)) is stays_off


def test_the_autoreloaders_child_starts(monkeypatch):
    monkeypatch.setenv("RUN_MAIN", "true")
    assert reason_to_stay_off(["manage.py", "runserver"]) is None
