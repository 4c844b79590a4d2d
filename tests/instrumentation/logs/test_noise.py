"""Lines that say again what the kit says are not written; everything else is, and the project's own choice always wins."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from otelkit.logs.noise import SERVER_ACCESS
from tests.backends import free_port, wait_until

PREPARE = """
import json, logging, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
from django.conf import settings
settings.LOGGING = json.loads(sys.argv[1])
settings.OTELKIT = {"traces": {"exporters": []}, "metrics": {"exporters": []}, **json.loads(sys.argv[2])}
django.setup()
from otelkit import startup
startup.start()
"""

Run = Callable[..., list[str]]


@pytest.fixture
def messages() -> Run:
    """The messages that a process of its own prints, but for the start line."""

    def run(script: str, *, logging_settings: object = (), otelkit: object = (), argv: str = "server") -> list[str]:
        script = PREPARE.replace("import json,", f"import sys; sys.argv[0] = {argv!r}\nimport json,", 1) + textwrap.dedent(script)
        arguments = [json.dumps(dict(logging_settings)), json.dumps(dict(otelkit))]  # type: ignore[call-overload]
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
        return [line["message"] for line in lines if line.get("event.name") != "otelkit.started"]

    return run


CALL = """
import httpx
logging.getLogger("httpx").info("HTTP Request: GET http://x")
logging.getLogger("httpcore.connection").info("connect_tcp.started")
logging.getLogger("urllib3.connectionpool").warning("Retrying")
logging.getLogger("shop").info("the project's own")
logging.getLogger("some_library").info("a library that says little")
"""


def test_a_library_that_says_every_call_only_warns(messages: Run):
    """httpx writes a line at INFO for each call, which nobody saw while the root logger was at WARNING."""
    assert messages(CALL) == ["Retrying", "the project's own", "a library that says little"]


def test_a_project_that_gives_it_a_level_is_obeyed(messages: Run):
    configured = {"version": 1, "disable_existing_loggers": False, "loggers": {"httpx": {"level": "INFO"}}}
    assert "HTTP Request: GET http://x" in messages(CALL, logging_settings=configured)


def test_a_project_with_a_root_handler_of_its_own_has_chosen_its_levels(messages: Run):
    configured = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["console"], "level": "INFO"},
    }
    assert "HTTP Request: GET http://x" in messages(CALL, logging_settings=configured)


def test_the_list_of_quiet_libraries_is_a_setting(messages: Run):
    assert "HTTP Request: GET http://x" in messages(CALL, otelkit={"logs": {"quiet": []}})


ACCESS = """
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
    "loggers": {
        name: {"handlers": ["out"], "level": "INFO", "propagate": False}
        for name in ("gunicorn.access", "uvicorn.access", "gunicorn.error", "uvicorn.error")
    },
})
django.setup()  # as runserver does
logging.getLogger("gunicorn.access").info('GET /a 200')
logging.getLogger("uvicorn.access").info('GET /b 200')
logging.getLogger("django.server").info('"%s" %s %s', "GET /c HTTP/1.1", "200", "12")
logging.getLogger("django.channels.server").info("HTTP GET /d 200 [0.01, 127.0.0.1:5]")
logging.getLogger("gunicorn.error").info("Booting worker")
logging.getLogger("django.server").error("Broken pipe from %s", "127.0.0.1")
logging.getLogger("django.channels.server").info("WebSocket CONNECT /ws")
"""
OTHERS = ["Booting worker", "Broken pipe from 127.0.0.1", "WebSocket CONNECT /ws"]
THEIRS = ["GET /a 200", "GET /b 200", '"GET /c HTTP/1.1" 200 12', "HTTP GET /d 200 [0.01, 127.0.0.1:5]"]


def test_the_servers_access_lines_make_room_for_ours(messages: Run):
    """One line per request; what the server says else stays."""
    assert messages(ACCESS) == OTHERS


@pytest.mark.parametrize("otelkit", [{"logs": {"server_access": True}}, {"logs": {"access": False}}])
def test_the_servers_access_lines_stay_where_somebody_wants_them_or_nobody_else_writes_one(messages: Run, otelkit: object):
    assert messages(ACCESS, otelkit=otelkit) == [*THEIRS, *OTHERS]


def test_over_otlp_alone_the_console_keeps_the_servers_lines_and_the_collector_gets_ours():
    from dataclasses import dataclass

    from otelkit.logs import install

    @dataclass
    class Settings:
        exporters: tuple[str, ...] = ("otlp",)
        format: str = "json"
        level: str = "INFO"
        stream: str = "stdout"
        server_access: bool = False
        quiet: tuple[str, ...] = ()

    server, other = logging.getLogger("uvicorn.access"), logging.getLogger("test_noise.deaf")
    printing = logging.NullHandler()
    for logger in (server, other):
        logger.propagate = False
        logger.addHandler(printing)
    installation = install(Settings(), {}, lambda item: None)
    try:
        assert server.handlers == [printing]
        assert not server.filters
        assert len(other.handlers) == 2
    finally:
        installation.remove()
        for logger in (server, other):
            logger.propagate = True
            logger.removeHandler(printing)


def test_status_says_what_is_dropped():
    from otelkit import startup
    from otelkit.config import load

    runtime = startup.start(load({"export": {"shutdown_timeout": 0.0}}, {}))
    try:
        assert runtime is not None
        assert any("logs.server_access" in note for note in runtime.notes)
        assert all(logging.getLogger(name).filters for name in SERVER_ACCESS)
    finally:
        startup.stop()
    assert not any(logging.getLogger(name).filters for name in SERVER_ACCESS)


COMMAND = """
import sys
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def handle(self, *args, **options):
        import logging
        logging.getLogger("shop").warning("a line of the log")
        self.stdout.write("the result")
"""


def run_command(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    for name, text in {
        "shop/__init__.py": "",
        "shop/management/__init__.py": "",
        "shop/management/commands/__init__.py": "",
        "shop/management/commands/report.py": COMMAND,
        "shop/settings.py": 'SECRET_KEY = "x"\nINSTALLED_APPS = ["otelkit", "shop"]\nOTELKIT = {"export": {"shutdown_timeout": 0.0}}\n',
        "manage.py": "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"
        "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    inherited = {name: value for name, value in os.environ.items() if name != "TESTS_DATABASE"}
    return subprocess.run(
        [sys.executable, "manage.py", "report"],
        cwd=tmp_path,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_the_output_of_a_command_is_its_result_and_nothing_else(tmp_path: Path):
    """`manage.py report > report.txt`: log lines, the start line too, go to standard error."""
    done = run_command(tmp_path)
    assert done.stdout == "the result\n"
    assert "a line of the log" in done.stderr
    assert "otelkit.started" in done.stderr


def test_a_command_prints_its_lines_where_the_setting_says(tmp_path: Path):
    done = run_command(tmp_path, OTELKIT_LOGS_STREAM="stdout")
    assert "a line of the log" in done.stdout
    assert "a line of the log" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["manage.py", "report"], True),
        (["/srv/app/manage.py", "report"], True),
        (["manage.py", "runserver"], False),
        (["manage.py"], False),
        (["gunicorn", "shop.wsgi"], False),
        (["celery", "-A", "shop", "worker"], False),
        (["script.py", "report"], False),
    ],
)
def test_what_counts_as_a_command(arguments: list[str], answer: bool):
    from otelkit.entry import is_command

    assert is_command(arguments) is answer


SERVED = {
    "shop/__init__.py": "",
    "shop/settings.py": """
SECRET_KEY = "only for this test"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE = []
OTELKIT = {"preset": "production", "export": {"shutdown_timeout": 0.0}}
""",
    "shop/urls.py": """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("hello", lambda request: HttpResponse("hello"))]
""",
    "shop/wsgi.py": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
    "shop/asgi.py": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.asgi import get_asgi_application
application = get_asgi_application()
""",
}


@pytest.mark.parametrize(
    "command",
    [
        ["gunicorn", "shop.wsgi", "--bind", "127.0.0.1:{port}", "--access-logfile", "-"],
        ["uvicorn", "shop.asgi:application", "--port", "{port}"],
        ["django", "runserver", "--noreload", "127.0.0.1:{port}", "--settings", "shop.settings"],
    ],
    ids=lambda command: command[0],
)
def test_a_request_has_one_line_under_each_server(tmp_path: Path, command: list[str]):
    """A3: the server's own line would be a second one."""
    pytest.importorskip(command[0], reason=f"{command[0]} is not installed")
    for name, text in SERVED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "TESTS_DATABASE")}
    started = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(started, cwd=tmp_path, env={**inherited, "PYTHONPATH": str(tmp_path)}, stdout=log, stderr=log)
    try:
        wait_until(lambda: urlopen(f"http://127.0.0.1:{port}/hello", timeout=5).read(), 30, "the server does not answer")
        wait_until(lambda: [line for line in (tmp_path / "log").read_text().splitlines() if "/hello" in line], 10, "no line")
    finally:
        server.terminate()
        server.wait(15)
    lines = [line for line in (tmp_path / "log").read_text().splitlines() if "/hello" in line]
    assert len(lines) == 1, lines
    assert json.loads(lines[0])["event.name"] == "http.request"
