"""Log lines stay wired when Django configures logging again, and name the worker that writes them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

PREPARE = """
import json, logging, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
from django.conf import settings
settings.DEBUG = True
settings.LOGGING = json.loads(sys.argv[1])
django.setup()
from otelkit import startup
from otelkit.config import load
"""


def lines_of(script: str, logging_settings: dict[str, object] | None = None) -> list[dict[str, str]]:
    """Everything that the script printed, each line JSON, but for the start line."""
    # Since Python 3.12 a fork beside threads warns; here it comes from a script, where Python shows it.
    command = [
        sys.executable,
        "-W",
        "ignore:This process:DeprecationWarning",
        "-c",
        PREPARE + textwrap.dedent(script),
        json.dumps(logging_settings or {}),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    return [line for line in lines if line.get("event.name") != "otelkit.started"]


PROJECTS_OWN = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": []}},  # or Django itself prints twice while DEBUG is on
}


@pytest.mark.parametrize("logging_settings", [{}, PROJECTS_OWN], ids=["Django's defaults", "the project's own"])
def test_a_second_django_setup_neither_doubles_nor_unformats_a_line(logging_settings):
    """A21: runserver calls django.setup() twice, and with DEBUG on every error was printed twice."""
    lines = lines_of(
        """
        startup.start(load({"export": {"shutdown_timeout": 0.0}, "traces": {"exporters": []}, "metrics": {"exporters": []}}, {}))
        django.setup()
        logging.getLogger("django.request").error("once")
        logging.getLogger("django.server").info("once from the server")
        logging.getLogger("shop").info("once from the project")
        """,
        logging_settings,
    )
    assert [line["message"] for line in lines] == ["once", "once from the server", "once from the project"]


def test_a_logging_that_silences_existing_loggers_does_not_silence_the_access_lines():
    """A21: "disable_existing_loggers" is true where a project's LOGGING does not say otherwise, and runserver applies LOGGING twice."""
    lines = lines_of(
        """
        from django.test import Client
        startup.start(load({"export": {"shutdown_timeout": 0.0}, "traces": {"exporters": []}, "metrics": {"exporters": []}}, {}))
        django.setup()
        Client().get("/items/7")
        """,
        {key: value for key, value in PROJECTS_OWN.items() if key != "disable_existing_loggers"},
    )
    assert [line["http.route"] for line in lines] == ["/items/{pk}"]


def test_a_second_django_setup_keeps_the_lines_on_their_way_to_the_collector():
    """A project's LOGGING throws every handler off the root logger, ours too."""
    (line,) = lines_of(
        """
        from otelkit.testing import capture
        with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
            django.setup()
            logging.getLogger("shop").warning("kept")
            print(json.dumps({"bodies": [line["body"] for line in telemetry.logs]}))
        """,
        {**PROJECTS_OWN, "handlers": {"console": {"class": "logging.NullHandler"}}},
    )
    assert line == {"bodies": ["kept"]}


@pytest.mark.parametrize("otlp", [True, False], ids=["OTLP", "Prometheus only"])
def test_a_forked_worker_writes_its_own_name(otlp):
    """B7, design.md decision 8: a line must name the worker that its spans name."""
    lines = lines_of(
        f"""
        exporters = {{"traces": {{"exporters": []}}, "metrics": {{"exporters": ["otlp" if {otlp} else "prometheus"]}}}}
        runtime = startup.start(load({{**exporters, "export": {{"endpoint": "http://127.0.0.1:1", "shutdown_timeout": 0.0}}}}, {{}}))
        runtime.presence.begin()
        child = os.fork()
        runtime.presence.begin()
        logging.getLogger("shop").info("hello", extra={{"expected": runtime.resource["service.instance.id"]}})
        if child:
            os.waitpid(child, 0)
        else:
            os._exit(0)
        """
    )
    hellos = [line for line in lines if line["message"] == "hello"]  # without what is said about the receiver that nobody is
    assert all(line["service.instance.id"] == line["expected"] for line in hellos)
    assert len({line["service.instance.id"] for line in hellos}) == 2
