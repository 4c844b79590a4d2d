"""The wheel: built, installed into an empty environment, and used as its users do."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.wheel

SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["otelkit"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("orders/<int:pk>", lambda request, pk: HttpResponse("ok"))]
"""


def run(*command: str | Path, cwd: Path, fails: bool = False) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL", "DJANGO", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    output = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, output
    return output


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("otelkit-*.whl")
    return built


def installed(what: str | Path, folder: Path) -> Path:
    """The folder of programs of a new environment that holds nothing else."""
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", what, cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(wheel, tmp_path_factory.mktemp("base"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    for name, text in {"__init__.py": "", "settings.py": SETTINGS, "urls.py": URLS}.items():
        (tmp_path / "shop" / name).write_text(text)
    return tmp_path


def test_the_wheel_holds_what_users_import(wheel: Path):
    import zipfile

    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "otelkit/py.typed",
        "otelkit/autostart/sitecustomize.py",
        "otelkit_dashboards/generated/provisioning/otelkit-service-overview.json",
        "otelkit_dashboards/generated/grafana-com/otelkit-endpoint.json",
        "otelkit_alerts/generated/prometheus/otelkit.rules.yaml",
        "otelkit_alerts/runbooks/django-error-budget-burn.md",
        "otelkit_stack/schema.py",
        "otelkit_demo/orders/migrations/0001_initial.py",
    ):
        assert wanted in names, wanted
    assert not [name for name in names if name.startswith("tests/") or name.endswith((".sqlite3", ".pyc"))]


def test_one_line_is_enough_in_an_empty_environment(bin_folder: Path, project: Path):
    """E3: status and doctor of a project that added one line, with the base dependencies alone."""
    status = run(bin_folder / "otelkit", "status", "--settings", "shop.settings", cwd=project)
    assert "observes shop (production)" in status
    doctor = run(bin_folder / "otelkit", "doctor", "--settings", "shop.settings", cwd=project, fails=True)
    assert "PASS  application" in doctor
    assert "the connection was refused" in doctor


def test_a_command_is_run_with_telemetry(bin_folder: Path, project: Path):
    """`otelkit run` of a project without the line: what it puts on PYTHONPATH travels in the wheel."""
    settings = project / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('["otelkit"]', "[]"))
    looks = "import django; django.setup(); from otelkit import startup; print(startup.current().notes)"
    said = run("env", "DJANGO_SETTINGS_MODULE=shop.settings", bin_folder / "otelkit", "run", "python", "-c", looks, cwd=project)
    assert "requests: followed by otelkit's middleware" in said


def test_a_missing_extra_is_one_sentence_with_the_command(bin_folder: Path, project: Path):
    said = run(bin_folder / "otelkit", "stack", cwd=project, fails=True)
    assert said.strip().endswith("Install it with:  pip install 'otelkit[stack]'")
    assert len(said.strip().splitlines()) == 1


def test_the_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """`pip install 'otelkit[demo]' && otelkit demo` needs no repository."""
    programs = installed(f"{wheel}[demo]", tmp_path_factory.mktemp("demo"))
    said = run(programs / "otelkit", "demo", "--minutes", "0.15", "--data", tmp_path / "data", cwd=tmp_path)
    assert "First trace after" in said
    assert "Nothing is left running" in said
