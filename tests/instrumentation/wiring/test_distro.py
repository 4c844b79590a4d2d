"""``opentelemetry-instrument`` and the Kubernetes operator: with our distribution they give what the line in INSTALLED_APPS gives."""

from __future__ import annotations

import logging
import os
import shutil
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.instrumentation.wiring.project import LINE, PROGRAMS, PYTHON, Project, access_lines, lines_of, received
from tests.instrumentation.wiring.serving import serving
from tests.receivers import Receiver

auto_instrumentation = pytest.importorskip(
    "opentelemetry.instrumentation.auto_instrumentation", reason="opentelemetry-instrumentation is not installed"
)
INSTRUMENT = str(PROGRAMS / "opentelemetry-instrument")
# It looks for its command on PATH, where an activated environment has it.
_ACTIVATED = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
OURS = {**_ACTIVATED, "OTEL_PYTHON_DISTRO": "otelkit"}
UPSTREAMS = {
    **_ACTIVATED,
    "OTEL_PYTHON_DISTRO": "distro",
    "OTEL_PYTHON_CONFIGURATOR": "configurator",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_LOGS_EXPORTER": "console",
    "OTEL_SERVICE_NAME": "shop",
    "DJANGO_SETTINGS_MODULE": "shop.settings",  # without it upstream's instrumentor breaks the project
}


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize("installed", ['["shop"]', LINE], ids=["alone", "beside the line"])
def test_with_our_distribution_a_request_is_told_once(project: Project, running: Receiver, kind: str, installed: str):
    """A4: OTEL_PYTHON_DISTRO alone chooses ours; requests, queries and calls that upstream would follow too are told once."""
    project.settings(installed)
    done = project.run(INSTRUMENT, "python", "ask.py", f"shop.{kind}", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **OURS)
    found = received(running)
    (span,) = found.of_kind("SERVER")
    assert (span.name, span.scope) == ("GET /items/{pk}", "otelkit")
    assert (span.resource["service.name"], span.resource["telemetry.distro.name"]) == ("shop", "otelkit")
    assert [query.parent_id for query in found.of_kind("CLIENT")] == [span.span_id]
    assert not found.of_kind("INTERNAL")
    assert found.count("http.server.request.duration") == len(access_lines(done.stdout)) == 1
    assert not [name for _, name, _, _ in found.metrics if name == "http.server.duration"]


def test_it_says_which_instrumentors_it_left_out(project: Project, running: Receiver):
    project.settings('["shop"]', 'OTELKIT["logs"] = {}\n')
    done = project.run(INSTRUMENT, "python", "ask.py", "shop.wsgi", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **OURS)
    (started,) = [line for line in lines_of(done.stdout) if line.get("event.name") == "otelkit.started"]
    (note,) = [note for note in started["notes"] if note.startswith("instrumentors of OpenTelemetry")]
    for name in ("django (requests)", "requests (calls traced and measured)", "httpx (calls traced and measured)"):
        assert name in note


def test_as_the_operator_starts_it(project: Project, running: Receiver, tmp_path: Path):
    """PYTHONPATH with upstream's sitecustomize and a copy of its packages in front of the image's; the choice is all that is ours."""
    copy = tmp_path / "otel-auto-instrumentation-python"
    packages = Path(str(auto_instrumentation.__file__)).parents[3]
    for found in packages.glob("opentelemetry*"):
        shutil.copytree(found, copy / found.name, ignore=shutil.ignore_patterns("__pycache__"))
    paths = os.pathsep.join([str(copy / "opentelemetry" / "instrumentation" / "auto_instrumentation"), str(copy)])
    done = project.run(PYTHON, "ask.py", "shop.wsgi", "/items/7", PYTHONPATH=paths, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **OURS)
    assert [(span.name, span.scope) for span in received(running).of_kind("SERVER")] == [("GET /items/{pk}", "otelkit")], done.stderr
    assert len(access_lines(done.stdout)) == 1


def test_gunicorn_under_it_serves_with_telemetry(project: Project, running: Receiver, tmp_path: Path):
    """A3, A4."""
    pytest.importorskip("gunicorn", reason="gunicorn is not installed: pip install 'otelkit[demo]'")
    address = tmp_path / "gunicorn.sock"
    command = [INSTRUMENT, "gunicorn", "-b", f"unix:{address}", "shop.wsgi"]
    with serving(project, *command, address=address, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **OURS) as server:
        assert server.get("/items/7") == 200
        server.end()
    found = received(running)
    assert [span.name for span in found.of_kind("SERVER")] == ["GET /items/{pk}"], server.output
    assert found.count("http.server.request.duration") == len(access_lines(server.output)) == 1


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_beside_upstreams_distribution_a_request_is_told_once(project: Project, running: Receiver, kind: str):
    """A4: DjangoInstrumentor stands down, and spans leave by upstream's exporter alone: both would send each twice."""
    pytest.importorskip("opentelemetry.distro", reason="opentelemetry-distro is not installed: pip install 'otelkit[upstream]'")
    project.settings(LINE, 'OTELKIT["logs"] = {}\n')
    done = project.run(
        INSTRUMENT, "python", "ask.py", f"shop.{kind}", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **UPSTREAMS
    )
    found = received(running)
    (span,) = found.of_kind("SERVER")
    assert (span.name, span.scope) == ("GET /items/{pk}", "otelkit")
    assert "telemetry.auto.version" in span.resource
    assert not found.of_kind("INTERNAL")
    assert len(found.of_kind("CLIENT")) == 1
    assert found.count("http.server.request.duration") == len(access_lines(done.stdout)) == 1
    assert found.count("http.server.active_requests") == 0
    assert not [name for _, name, _, _ in found.metrics if name == "http.server.duration"]
    (started,) = [line for line in lines_of(done.stdout) if line.get("event.name") == "otelkit.started"]
    said = "\n".join(started["notes"])
    assert "OTEL_PYTHON_DISTRO=otelkit would choose ours" in said
    assert "opentelemetry-instrumentation-django stands down" in said


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED=true", "OTELKIT_ENABLED=false"])
def test_switched_off_it_starts_no_instrumentation(project: Project, running: Receiver, variable: str):
    """A25: under opentelemetry-instrument as everywhere."""
    name, _, value = variable.partition("=")
    project.write(
        "looks.py",
        "import sys, requests, threading, shop.wsgi\nfrom django.conf import settings\n"
        "print(requests.Session.send.__module__, len(settings.MIDDLEWARE), threading.active_count(), 'otelkit.startup' in sys.modules)\n",
    )
    done = project.run(INSTRUMENT, "python", "looks.py", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint, **OURS, **{name: value})
    assert done.stdout == "requests.sessions 1 1 False\n"
    assert running.requests == []


def test_the_entry_points_are_ours():
    """What upstream looks for, by the name that OTEL_PYTHON_DISTRO gives."""
    from otelkit import distro

    found = {point.group: point.load() for point in entry_points(name="otelkit") if point.group.startswith("opentelemetry_")}
    assert found == {
        "opentelemetry_distro": distro.OtelkitDistro,
        "opentelemetry_configurator": distro.OtelkitConfigurator,
        "opentelemetry_post_instrument": distro.mention_other_distro,
    }


def test_what_we_do_not_follow_is_started(monkeypatch: pytest.MonkeyPatch):
    """Kafka and all others nest below our spans; so does what a variable tells us to leave alone."""
    from otelkit import distro

    started: list[dict[str, object]] = []
    monkeypatch.setattr(distro, "left_out", [])
    point = SimpleNamespace(name="kafka", load=lambda: lambda: SimpleNamespace(instrument=lambda **options: started.append(options)))
    distro.OtelkitDistro().load_instrumentor(point, skip_dep_check=True)
    distro.OtelkitDistro().load_instrumentor(EntryPoint("django", "no.such:Thing", "opentelemetry_instrumentor"), skip_dep_check=True)
    point.name = "redis"
    distro.OtelkitDistro().load_instrumentor(point, skip_dep_check=True)
    monkeypatch.setenv("OTELKIT_LIBRARIES_DISABLED", "httpx, redis")
    distro.OtelkitDistro().load_instrumentor(point, skip_dep_check=True)
    monkeypatch.setenv("OTEL_SDK_DISABLED", " True ")
    distro.OtelkitDistro().load_instrumentor(point, skip_dep_check=True)
    assert started == [{"skip_dep_check": True}, {"skip_dep_check": True}]
    assert distro.left_out == ["django", "redis", "redis"]


def test_a_choice_by_chance_is_said_and_a_choice_is_not(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """Several distributions may be installed, and upstream takes the first that it finds."""
    from otelkit import distro

    for name in ("OTEL_PYTHON_CONFIGURATOR", "OTEL_SEMCONV_STABILITY_OPT_IN"):
        monkeypatch.setenv(name, "to be restored")
        del os.environ[name]
    monkeypatch.setattr(distro, "_was_chosen", False)
    with caplog.at_level(logging.WARNING):
        distro.mention_other_distro()
        assert "OTEL_PYTHON_DISTRO=otelkit chooses otelkit" in caplog.text
        caplog.clear()
        monkeypatch.setenv("OTEL_PYTHON_DISTRO", "distro")
        distro.mention_other_distro()
        monkeypatch.delenv("OTEL_PYTHON_DISTRO")
        distro.OtelkitDistro().configure()
        distro.mention_other_distro()
    assert caplog.text == ""
    assert os.environ["OTEL_PYTHON_CONFIGURATOR"] == "otelkit"
    assert os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] == "http,database"
