"""``otelkit status`` and ``otelkit doctor``, as a person types them in a project of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from otelkit_stack.testing import running_stack
from tests.receivers import answering, hanging_receiver, receiver, refused_endpoint

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["shop.example"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
OTELKIT = {"logs": {"exporters": ["console", "otlp"]}, "export": {"headers": {"Authorization": "Bearer s3cr3t"}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    files = {"shop/__init__.py": "", "shop/settings.py": SETTINGS, "shop/urls.py": "urlpatterns = []\n", "manage.py": MANAGE}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def otelkit(project: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    found = {"DJANGO_SETTINGS_MODULE": "shop.settings", **environment}
    inherited = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "TESTS_DATABASE")}
    command = [sys.executable, "-c", "import sys; from otelkit.cli import main; sys.argv[0] = 'otelkit'; sys.exit(main())", *arguments]
    done = subprocess.run(command, cwd=project, env={**inherited, **found}, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_doctor_finds_its_request_again_in_the_stack(project, tmp_path):
    with running_stack(tmp_path / "stack") as stack:
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=stack.endpoint)
    assert code == 0, said
    assert [line[:4] for line in said.splitlines()] == ["PASS"] * 6
    assert "1 spans, 2 log lines, 1 exemplars" in said


@pytest.mark.parametrize(
    ("kind", "finding", "fix"),
    [
        ("refused", "the connection was refused", "Start a collector there"),
        ("hanging", "it did not answer in time", "4317 is gRPC"),
        ("401", "it answered 401", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("404", "it answered 404", "must be the collector's root"),
        ("302", "a redirect to http://elsewhere", "The receiver's own log"),
        ("invalid", "its host name cannot be resolved", "OTEL_EXPORTER_OTLP_ENDPOINT to where it listens"),
    ],
)
def test_doctor_names_what_fails_and_the_way_on(project, kind, finding, fix):
    """E4 for the receiver: a dead one, a silent one, one that wants a token, a wrong path, a redirect, a wrong name."""
    with hanging_receiver() as hanging, receiver(int(kind) if kind.isdigit() else 200, {"Location": "http://elsewhere/"}) as answering:
        endpoints = {"refused": refused_endpoint(), "hanging": hanging, "invalid": "http://collector.invalid:4318"}
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=endpoints.get(kind, answering.endpoint))
    assert code == 1
    assert "FAIL  traces" in said
    assert finding in said
    assert fix in said
    assert "Traceback" not in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("answer", "finding", "fix"),
    [
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00", "the exchange failed", "4317 is gRPC"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "no OTLP receiver", "Another program listens there"),
    ],
    ids=["gRPC", "a web page"],
)
def test_doctor_knows_what_listens_in_a_receivers_place(project, answer, finding, fix):
    """E4."""
    with answering(lambda connection: connection.sendall(answer)) as endpoint:
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert code == 1
    assert finding in said
    assert fix in said


def test_doctor_does_not_wait_for_a_trace_where_it_cannot_be_read_back(project):
    """A collector answers 404 to the question, as the stack does for a trace it does not have yet; only the stack's is JSON."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Silent: the test reads `asked`."""

    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        code, said = otelkit(project, "doctor", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
    assert code == 0, said
    assert "----  read back    the receiver is not the embedded stack" in said
    assert len(asked) == 1


def test_doctor_speaks_json(project):
    code, said = otelkit(project, "doctor", "--json", OTEL_EXPORTER_OTLP_ENDPOINT=refused_endpoint())
    hops = {hop["name"]: hop for hop in json.loads(said)}
    assert code == 1
    assert hops["application"]["ok"] is True
    assert hops["logs"]["ok"] is False


def test_doctor_says_that_it_is_switched_off_and_by_whom(project):
    code, said = otelkit(project, "doctor", OTEL_SDK_DISABLED="true")
    assert code == 1
    assert "FAIL  settings     otelkit is switched off" in said
    assert "Take away OTEL_SDK_DISABLED." in said


def test_status_says_who_what_and_where_from(project):
    code, said = otelkit(
        project, "status", OTEL_TRACES_SAMPLER_ARG="0.5", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://otel:s3cr3t@127.0.0.1:4318/v1/logs"
    )
    assert code == 0
    assert said.startswith("otelkit 0.1.0 observes shop (production)")
    assert "traces.sample_ratio          0.5                                OTEL_TRACES_SAMPLER_ARG" in said
    assert "Authorization=[REDACTED]" in said
    assert "s3cr3t" not in said
    assert "{" not in said, "no log line stands between"


def test_manage_py_offers_the_same(project):
    done = subprocess.run(
        [sys.executable, "manage.py", "otelkit", "status"],
        cwd=project,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("otelkit 0.1.0 observes shop (production)")


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (
            ["status"],
            {"OTELKIT_PRESET": "prod"},
            "OTELKIT_PRESET must be one of development, test, production, high_traffic, pull; it is 'prod'. Did you mean \"production\"?",
        ),
        (["status"], {"DJANGO_SETTINGS_MODULE": ""}, "Which project? Give --settings mysite.settings"),
        (
            ["status", "--settings", "nope.settings"],
            {},
            "The settings nope.settings cannot be loaded: No module named 'nope'. Run this where",
        ),
        (["status", "--settings", "shop.broken"], {}, "The settings shop.broken cannot be loaded: KeyError: 'NOT_SET'. `python manage.py"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(project, arguments, environment, sentence):
    (project / "shop" / "broken.py").write_text("import os\nos.environ['NOT_SET']\n")
    code, said = otelkit(project, *arguments, **environment)
    assert code == 2
    assert said.startswith(sentence)
    assert len(said.strip().splitlines()) == 1


def test_a_typo_in_the_settings_stops_the_server_with_its_sentence(project):
    """A23: `check` and every server say it, and nothing else hides it."""
    settings = project / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('"exporters"', '"exporter"'))
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=project,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        'otelkit.errors.ConfigError: OTELKIT["logs"]["exporter"] is not a setting. Did you mean "exporters"?'
    )
