"""``otelkit run <command>``: the command as without us, with telemetry in it and in its children."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from otelkit import cli
from otelkit.cli import run
from tests.backends import free_port
from tests.instrumentation.wiring.project import PROGRAMS, PYTHON, Project, access_lines, received
from tests.instrumentation.wiring.serving import serving
from tests.receivers import Receiver

OTELKIT = str(PROGRAMS / "otelkit")

needs_gunicorn = pytest.mark.skipif(find_spec("gunicorn") is None, reason="gunicorn is not installed: pip install 'otelkit[demo]'")
needs_uvicorn = pytest.mark.skipif(find_spec("uvicorn") is None, reason="uvicorn is not installed: pip install 'otelkit[stack]'")


def test_a_script_gets_telemetry_without_a_change_of_its_code(project: Project, running: Receiver):
    """The same as the line in INSTALLED_APPS: one span, one duration, one access line."""
    done = project.run(OTELKIT, "run", "python", "ask.py", "shop.wsgi", "/items/7", OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    found = received(running)
    assert [(span.name, span.resource["service.name"]) for span in found.of_kind("SERVER")] == [("GET /items/{pk}", "shop")]
    assert found.count("http.server.request.duration") == len(access_lines(done.stdout)) == 1


@needs_gunicorn
@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["loaded by the workers", "preloaded"])
def test_gunicorn_serves_with_telemetry(project: Project, running: Receiver, tmp_path: Path, options: list[str]):
    """A3: as a process manager starts it, and ended by its SIGTERM."""
    address = tmp_path / "gunicorn.sock"
    command = [OTELKIT, "run", "gunicorn", *options, "-b", f"unix:{address}", "shop.wsgi"]
    with serving(project, *command, address=address, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint) as server:
        assert server.get("/items/7") == 200
        assert server.end() == 0
    found = received(running)
    assert [span.name for span in found.of_kind("SERVER")] == ["GET /items/{pk}"], server.output
    assert found.count("http.server.request.duration") == len(access_lines(server.output)) == 1


@needs_uvicorn
def test_uvicorn_and_its_spawned_workers_serve_with_telemetry(project: Project, running: Receiver, tmp_path: Path):
    """A3: the workers are other processes, started by the spawn method; they inherit nothing but the environment."""
    address = tmp_path / "uvicorn.sock"
    command = [OTELKIT, "run", "uvicorn", "--workers", "2", "--uds", str(address), "shop.asgi:application"]
    with serving(project, *command, address=address, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint) as server:
        assert server.get("/async/items/7") == 200
        server.end()
    found = received(running)
    assert [span.name for span in found.of_kind("SERVER")] == ["GET /async/items/{pk}"], server.output
    assert found.count("http.server.request.duration") == 1


def test_runservers_reloaded_child_serves_with_telemetry(project: Project, running: Receiver):
    """A3: the autoreloader starts Python anew, with the environment alone."""
    project.settings('["shop"]', 'OTELKIT["logs"]["level"] = "INFO"\n')
    address = f"127.0.0.1:{free_port()}"
    command = [OTELKIT, "run", "python", "manage.py", "runserver", address]
    with serving(project, *command, address=address, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint) as server:
        assert server.get("/items/7") == 200
        os.killpg(server.process.pid, signal.SIGINT)  # what Ctrl-C sends: to the reloader and its child
        said, errors = server.process.communicate(timeout=60)
    assert [span.name for span in received(running).of_kind("SERVER")] == ["GET /items/{pk}"], said + errors
    assert said.count("otelkit.started") == 1, "the parent only watches files"


def test_the_command_takes_its_place(project: Project):
    """Same process id, arguments as they were typed, and its exit code."""
    tells = "import os, sys; print(os.getpid(), *sys.argv[1:]); sys.exit(7)"
    with subprocess.Popen(
        [OTELKIT, "run", "--", "python", "-c", tells, "--workers", "2", "--help"],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        said, _ = process.communicate(timeout=60)
    assert said.split() == [str(process.pid), "--workers", "2", "--help"]
    assert process.returncode == 7


LOOKS = """
import json, sys
print(json.dumps({"path": sys.path, "prefix": sys.prefix, "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None)}))
"""


def test_the_program_finds_everything_as_without_us(project: Project):
    """sys.path, virtual environment, and the sitecustomize that was there before."""
    project.write("site/sitecustomize.py", "import sys\nsys.flag_of_the_project = True\n")
    project.write("looks.py", f"{LOOKS}\nassert sys.flag_of_the_project\n")
    environment = {"PYTHONPATH": f"{project.folder}/site{os.pathsep}/somewhere/else"}
    without = json.loads(project.run(PYTHON, "looks.py", **environment).stdout)
    within = json.loads(project.run(OTELKIT, "run", "python", "looks.py", **environment).stdout)
    assert within == without
    assert without["sitecustomize"].startswith(str(project.folder))


def test_without_another_sitecustomize_nothing_is_missed(project: Project):
    project.write("looks.py", LOOKS)
    done = project.run(OTELKIT, "run", "python", "looks.py")
    assert not done.stderr
    assert json.loads(done.stdout)["path"] == json.loads(project.run(PYTHON, "looks.py").stdout)["path"]


def test_a_broken_sitecustomize_is_reported_as_python_does(project: Project):
    project.write("site/sitecustomize.py", "import no_such_module\n")
    command = ("-c", "import sys; print('otelkit.auto' in sys.modules)")
    without = project.run(PYTHON, *command, PYTHONPATH=f"{project.folder}/site")
    within = project.run(OTELKIT, "run", "python", *command, PYTHONPATH=f"{project.folder}/site")
    assert "no_such_module" in without.stderr
    assert "no_such_module" in within.stderr
    assert (without.stdout, within.stdout) == ("False\n", "True\n")


def test_a_program_that_is_not_django_pays_next_to_nothing(project: Project):
    """A25: its grandchildren neither."""
    looks = (
        "import sys; print(sorted({'django', 'opentelemetry', 'urllib3', 'structlog'} & set(sys.modules)), 'otelkit.auto' in sys.modules)"
    )
    project.write("parent.py", f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {looks!r}], check=True)\n{looks}\n")
    assert project.run(OTELKIT, "run", "python", "parent.py").stdout == "[] True\n" * 2


def test_twice_is_once():
    environ = {"PYTHONPATH": "/a"}
    run.put_in(environ)
    once = dict(environ)
    run.put_in(environ)
    assert environ == once == {"PYTHONPATH": f"{run.FOLDER}{os.pathsep}/a", "OTELKIT_RUN": str(os.getpid())}


def base_python() -> Path:
    """The interpreter that this virtual environment was made of."""
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.skipif(
    not base_python().exists() or subprocess.run([base_python(), "-c", "import otelkit"], capture_output=True, check=False).returncode == 0,
    reason="needs a Python without otelkit",
)
def test_an_interpreter_without_otelkit_says_so_and_runs(project: Project):
    """Of the command itself one wants to know; a child may be anybody's program, and stays silent."""
    done = project.run(OTELKIT, "run", str(base_python()), "-c", "print('ran')")
    assert done.stdout == "ran\n"
    assert done.stderr.startswith(f"otelkit run: {base_python()} cannot import otelkit")
    assert len(done.stderr.splitlines()) == 1
    child = f"import subprocess; subprocess.run([{str(base_python())!r}, '-c', 'print(1)'], check=True)"
    done = project.run(OTELKIT, "run", "python", "-c", child)
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "otelkit run: which command?"),
        (["--workers", "2"], 2, "otelkit run: --workers is no option of it"),
        (["gunicron", "shop.wsgi"], 127, 'otelkit run: no command "gunicron" on PATH.'),
        (["./nowhere/serve"], 127, "otelkit run: there is no file ./nowhere/serve."),
        (["manage.py", "runserver"], 127, "otelkit run: manage.py is no command, but a file here. Try:  otelkit run python manage.py ..."),
        (["./manage.py", "runserver"], 126, "otelkit run: ./manage.py cannot be run: Permission denied."),
    ],
)
def test_what_cannot_be_run_is_one_sentence(project: Project, arguments: list[str], code: int, sentence: str):
    """E5: with the exit codes of a shell."""
    done = project.run(OTELKIT, "run", *arguments, fails=True)
    assert done.returncode == code
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_command_that_is_nearly_right_is_named(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (project.folder / "gunicorn-of-the-shop").touch()
    monkeypatch.setenv("PATH", f"{project.folder}{os.pathsep}/no/such/folder")
    assert run.run(["gunicorn-of-the-shp"]) == 127
    assert 'Did you mean "gunicorn-of-the-shop"?' in capsys.readouterr().err


def test_on_windows_it_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "platform", "win32")
    assert cli.main(["run", "python", "manage.py"]) == 2
    assert "Put `import otelkit.auto` into wsgi.py" in capsys.readouterr().err


def test_it_explains_itself(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["run", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: otelkit run COMMAND [ARGUMENT ...]")
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert run.HELP.split(",")[0] in " ".join(capsys.readouterr().out.split())
