"""The pytest plugin, in projects of its own: real pytest runs, each in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
SECRET_KEY = "only for tests"
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["otelkit", "django.contrib.contenttypes", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODELS = """
from django.db import models


class Order(models.Model):
    number = models.IntegerField()
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

from shop.models import Order


def orders(request):
    for number in range(int(request.GET["times"])):
        Order.objects.filter(number=number).first()
    return HttpResponse("ok")


urlpatterns = [path("orders/", orders)]
"""
CONFTEST = """
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django
import pytest

django.setup()


@pytest.fixture(scope="session", autouse=True)
def _tables():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Django project with otelkit in its INSTALLED_APPS, as a user has it."""
    for name, text in {"settings.py": SETTINGS, "urls.py": URLS, "conftest.py": CONFTEST}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(MODELS)
    return tmp_path


def run_pytest(project: Path, test: str, *arguments: str) -> str:
    """What pytest says of a file with this code."""
    (project / "test_shop.py").write_text(f"from django.test import Client, SimpleTestCase\nimport pytest\n\n{test}")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "--strict-markers", "-W", "error", *arguments]
    return subprocess.run(command, check=False, cwd=project, env=environ, capture_output=True, text=True, timeout=120).stdout


def test_the_fixture_is_there_without_an_import_and_the_budget_is_held(project):
    """A17: the marker names the request, the statement and the caller's line; the failing test's spans are shown."""
    said = run_pytest(
        project,
        """
def test_spans_metrics_and_lines(telemetry):
    Client().get("/orders/?times=1")
    telemetry.assert_span("GET /orders/", {"http.response.status_code": 200})
    telemetry.assert_metric("http.server.request.duration", {"http.route": "/orders/"}, count=1)
    telemetry.assert_log("GET /orders/ 200")


@pytest.mark.query_budget(3)
def test_within_its_budget():
    Client().get("/orders/?times=3")


@pytest.mark.query_budget(3)
def test_over_its_budget(telemetry):
    Client().get("/orders/?times=9")


@pytest.mark.query_budget(3)
def test_without_a_request():
    pass


@pytest.mark.query_budget(3)
class TestOfUnittest(SimpleTestCase):
    databases = ["default"]

    def test_over_its_budget_too(self):
        Client().get("/orders/?times=4")


@pytest.mark.telemetry({"service": {"name": "till"}}, fixed=True)
def test_settings_and_fixed_ids(telemetry):
    Client().get("/orders/?times=1")
    span = telemetry.assert_span("GET /orders/")
    assert (span["resource"]["service.name"], int(span["trace_id"], 16)) == ("till", 1)


def test_n_plus_one(telemetry):
    Client().get("/orders/?times=6")
    telemetry.assert_no_n_plus_one()
""",
    )
    outcomes = said.rstrip().rpartition("\n")[2]
    assert "4 failed, 3 passed" in outcomes, said
    assert "AssertionError: GET /orders/ ran 9 queries, its budget is 3:" in said
    assert '"shop_order"."number" = %s' in said
    assert "(urls.py:10)" in said
    assert "- Captured telemetry call -" in said
    assert "  SELECT shop_order" in said
    assert "AssertionError: No request was captured" in said
    assert "GET /orders/ ran 4 queries, its budget is 3" in said
    assert "GET /orders/ ran one statement 6 times, from urls.py:10" in said


def test_loading_the_plugin_imports_nothing_and_starts_nothing(project):
    """pytest loads it wherever otelkit is installed, before a project has chosen its settings."""
    program = "import sys, otelkit.testing.plugin\nprint(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "'pytest'" in loaded
    assert not [name for name in ("django", "opentelemetry", "structlog", "prometheus_client", "urllib3") if f"'{name}'" in loaded]
    (project / "conftest.py").unlink()
    said = run_pytest(
        project,
        """
def test_nothing_runs():
    import sys, threading
    assert "otelkit.startup" not in sys.modules
    assert threading.active_count() == 1
""",
    )
    assert "1 passed" in said


def test_a_project_under_an_editors_runner_does_not_start_the_kit(project):
    """Its program has a name of its own, and may not be called pytest."""
    (project / "runner.py").write_text("import sys, pytest\nsys.exit(pytest.main(sys.argv[1:]))\n")
    (project / "test_shop.py").write_text(
        "def test_it_is_off():\n    from otelkit import startup\n\n    assert startup.current() is None\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    command = [sys.executable, "runner.py", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(command, check=False, cwd=project, env=environ, capture_output=True, text=True, timeout=120)
    assert "1 passed" in done.stdout


def test_a_projects_own_fixture_of_that_name_wins(project):
    said = run_pytest(
        project,
        """
@pytest.fixture
def telemetry():
    return "mine"


def test_mine(telemetry):
    assert telemetry == "yours"
""",
    )
    assert "1 failed" in said
    assert "assert 'mine' == 'yours'" in said
    assert "Captured telemetry" not in said
