"""E4: settings and projects of real life. Each row is what is wrong, the hop or check that says so, and the fix it names."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest

from otelkit.doctor import Outcome
from otelkit.startup import MIDDLEWARE
from tests.instrumentation.doctor.patients import ENDPOINT, SECRET, Patient
from tests.receivers import receiver

FAIL, WARN = Outcome.FAIL, Outcome.WARN
COMMON = "django.middleware.common.CommonMiddleware"
PULL = {"exporters": ["otlp", "prometheus"], "token": "t0k3n"}
ONLY_A_FILE = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "/dev/null", "delay": True}},
    "root": {"handlers": ["file"], "level": "INFO"},
}

TWO_THAT_PRINT = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"one": {"class": "logging.StreamHandler"}, "two": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["one", "two"], "level": "INFO"},
    "loggers": {"django": {"handlers": []}},
}


class Row(NamedTuple):
    """One misconfiguration, in a project whose receiver is in order."""

    wrong: str
    hop: str
    outcome: Outcome
    code: int
    finding: str
    fix: str
    patient: Patient


ROWS = [
    Row(
        "switched off",
        "settings",
        FAIL,
        10,
        "otelkit is switched off",
        "Take away OTEL_SDK_DISABLED.",
        Patient(environ={"OTEL_SDK_DISABLED": "true"}),
    ),
    Row(
        "a typo in the settings",
        "settings",
        FAIL,
        10,
        'Did you mean "sample_ratio"?',
        "Correct the names and values",
        Patient(otelkit={"traces": {"sample_rate": 1}}),
    ),
    Row(
        "no exporter",
        "checks",
        WARN,
        0,
        "otelkit.W003 Nothing leaves this process",
        "Give one of them an exporter",
        Patient(otelkit={name: {"exporters": []} for name in ("traces", "metrics", "logs")}),
    ),
    Row(
        "nothing is sampled",
        "checks",
        WARN,
        0,
        "otelkit.W004 OTEL_TRACES_SAMPLER_ARG is 0",
        "Set a ratio above 0",
        Patient(environ={"OTEL_TRACES_SAMPLER_ARG": "0"}),
    ),
    Row(
        "nothing is sampled, whatever callers want",
        "traces",
        FAIL,
        30,
        "the marked request has no span",
        "A sampler left it out: OTEL_TRACES_SAMPLER_ARG is 0",
        Patient(environ={"OTEL_TRACES_SAMPLER_ARG": "0", "OTELKIT_REQUESTS_TRUST_INCOMING": "never"}),
    ),
    Row(
        "a variable that changes nothing",
        "checks",
        WARN,
        0,
        "otelkit.W010",
        "OTELKIT_METRICS_PORT",
        Patient(environ={"OTEL_EXPORTER_PROMETHEUS_PORT": "9464"}),
    ),
    Row(
        "a sampler that keeps nothing",
        "traces",
        FAIL,
        30,
        "the marked request has no span",
        "A sampler left it out",
        Patient(environ={"OTEL_TRACES_SAMPLER": "always_off"}),
    ),
    Row(
        "every path excluded",
        "application",
        FAIL,
        20,
        "otelkit did not see it",
        'OTELKIT["requests"]["excluded_paths"] covers',
        Patient(otelkit={"requests": {"excluded_paths": ["/"]}}),
    ),
    Row(
        "not in INSTALLED_APPS",
        "process",
        FAIL,
        11,
        "nothing starts otelkit in this project",
        'Add "otelkit" to INSTALLED_APPS',
        Patient(django={"INSTALLED_APPS": ["django.contrib.contenttypes", "tests.project"]}),
    ),
    Row(
        "below a middleware that answers itself",
        "application",
        FAIL,
        12,
        "was answered 503, but otelkit did not see it",
        "One of those above it answered: tests.instrumentation.middlewares.at_work.",
        Patient(django={"MIDDLEWARE": ["tests.instrumentation.middlewares.at_work", MIDDLEWARE]}),
    ),
    Row(
        "below a middleware, as the check sees it",
        "checks",
        FAIL,
        12,
        "otelkit.E003",
        "otelkit puts itself first",
        Patient(django={"MIDDLEWARE": [COMMON, MIDDLEWARE]}),
    ),
    Row(
        "a middleware that fails",
        "application",
        FAIL,
        20,
        "was answered 500",
        "The project fails before any view",
        Patient(django={"MIDDLEWARE": ["tests.instrumentation.middlewares.breaks"]}),
    ),
    Row(
        "log handlers overwritten",
        "checks",
        WARN,
        0,
        "otelkit.W052 Lines do not reach standard output: the root logger has only file",
        "Add a logging.StreamHandler",
        Patient(logging=ONLY_A_FILE),
    ),
    Row(
        "a handler too many",
        "checks",
        WARN,
        0,
        "otelkit.W051 Each line is printed 2 times: the root logger has one, two",
        "Leave one of them",
        Patient(logging=TWO_THAT_PRINT),
    ),
    Row(
        "metrics without a route",
        "scrape",
        FAIL,
        50,
        "no route leads to",
        'Add path("metrics", otelkit.metrics.pull.metrics)',
        Patient(otelkit={"metrics": PULL}, django={"ROOT_URLCONF": "tests.project.rest"}),
    ),
    Row(
        "a token that nobody can send",
        "scrape",
        FAIL,
        50,
        'GET /metrics was answered 404, although it sent the token of OTELKIT["metrics"]["token"]',
        "without white space at its ends",
        Patient(otelkit={"metrics": {**PULL, "token": f"{SECRET}\n"}}),
    ),
    Row(
        "metrics behind a login",
        "scrape",
        FAIL,
        50,
        "a redirect to /login/",
        "asks scrapers to log in",
        Patient(otelkit={"metrics": PULL}, django={"MIDDLEWARE": ["tests.instrumentation.middlewares.login_required"]}),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.wrong)
def test_the_doctor_finds_what_is_wrong_with_a_project(row, monkeypatch):
    """E4."""
    with receiver() as running:
        monkeypatch.setenv(ENDPOINT, running.endpoint)
        visit = row.patient.visit(monkeypatch)
    said = visit.of(row.hop, row.outcome)
    assert row.finding in said, visit.hops
    assert row.fix in said, visit.hops
    assert visit.code == row.code, visit.hops
    visit.assert_every_complaint_has_a_fix_and_no_secret()


def test_a_healthy_project_passes(monkeypatch):
    """The silent twin of every row."""
    with receiver() as running:
        visit = Patient(otelkit={"metrics": PULL, "logs": {"exporters": ["otlp"]}}, environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
    assert visit.code == 0
    assert visit.outcomes() == {
        "settings": "pass",
        "process": "pass",
        "checks": "pass",
        "application": "pass",
        "libraries": "pass",
        "traces": "pass",
        "metrics": "pass",
        "logs": "pass",
        "clock": "pass",
        "read traces": "skip",
        "read metrics": "skip",
        "read logs": "skip",
        "scrape": "pass",
    }


def test_metrics_on_a_port_are_read_there(monkeypatch):
    """A project without a route for them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    django = {"ROOT_URLCONF": "tests.project.rest"}
    with receiver() as running:
        visit = Patient(otelkit={"metrics": {**PULL, "port": port}}, environ={ENDPOINT: running.endpoint}, django=django).visit(monkeypatch)
    assert f"GET http://127.0.0.1:{port}/metrics shows otelkit_telemetry_created_total" in visit.of("scrape", Outcome.PASS)
    assert visit.code == 0


def test_a_service_that_runs_with_another_token(monkeypatch):
    """E4: the port of the metrics is taken by a process that was started with the token of yesterday."""

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as service, receiver() as running:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        metrics = {**PULL, "port": service.server_port}
        visit = Patient(otelkit={"metrics": metrics}, environ={ENDPOINT: running.endpoint}).visit(monkeypatch)
        service.shutdown()
        thread.join()
    assert f"GET http://127.0.0.1:{service.server_port}/metrics was answered 404, although it sent the token" in visit.of("scrape")
    assert "keeps the one it began with" in visit.of("scrape")
    assert visit.code == 50
