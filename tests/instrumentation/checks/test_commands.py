"""The checks where people meet them: ``manage.py check``, ``runserver`` and other commands, in projects of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core import checks as django_checks
from django.db.backends.utils import CursorWrapper
from django.test import override_settings

from otelkit.apps import system_checks
from otelkit.checks import CHECKS, Check, Project, findings, project_of_this_process, reporting, unsilenced
from otelkit.config import load
from tests.receivers import refused_endpoint

REPOSITORY = Path(__file__).parents[3]
ASKED = re.compile(r"\(otelkit\.([EW]\d+)\)")


@pytest.fixture
def startproject(tmp_path: Path) -> Path:
    """What ``django-admin startproject`` makes, with the one line."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", str(tmp_path)], check=True, timeout=60)
    add(tmp_path, 'INSTALLED_APPS = ["otelkit", *INSTALLED_APPS]')
    return tmp_path


def add(project: Path, text: str) -> None:
    with (project / "mysite" / "settings.py").open("a") as file:
        file.write(f"\n{text}\n")


def run(project: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code, and everything that was printed."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "TESTS_DATABASE")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_new_project_with_the_one_line_hears_nothing(startproject):
    """E3: no check cries wolf, not even before a deploy, where Django itself has much to say."""
    assert run(startproject, "manage.py", "check") == (0, "System check identified no issues (0 silenced).\n")
    _, said = run(startproject, "manage.py", "check", "--deploy")  # which fails by itself since Django 6.1, for how mail is sent
    assert "security.W" in said
    assert "otelkit" not in said


def test_in_production_a_new_project_hears_only_that_it_has_no_name(startproject):
    add(startproject, 'DEBUG = False\nALLOWED_HOSTS = ["shop.example"]')
    code, said = run(startproject, "manage.py", "check")
    assert (code, ASKED.findall(said)) == (0, ["W001"])
    assert 'telemetry calls it "mysite"' in said
    add(startproject, 'OTELKIT = {"service": {"name": "shop"}}')
    assert run(startproject, "manage.py", "check") == (0, "System check identified no issues (0 silenced).\n")


@pytest.mark.parametrize("command", [("check",), ("migrate",), ("runserver", "--noreload", "127.0.0.1:0"), ("ours",)], ids=" ".join)
def test_wrong_settings_stop_a_command_with_one_message_and_no_traceback(startproject, command):
    """A23: all problems at once, each with the way on; nothing of ours hides them."""
    (startproject / "mysite" / "management" / "commands").mkdir(parents=True)
    (startproject / "mysite" / "management" / "commands" / "ours.py").write_text(
        "from django.core.management import BaseCommand\nclass Command(BaseCommand):\n    def handle(self, **_):\n        print('it ran')\n"
    )
    add(startproject, 'INSTALLED_APPS += ["mysite"]\nOTELKIT = {"traces": {"sample_rate": 1}}')
    code, said = run(startproject, "manage.py", *command, OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318")
    assert code == 1
    assert "Traceback" not in said
    assert ASKED.findall(said) == ["E001", "E001"]
    assert 'OTELKIT["traces"]["sample_rate"] is not a setting. Did you mean "sample_ratio"?' in said
    assert "OTEL_EXPORTER_OTLP_ENDPOINT must be an address like http://127.0.0.1:4318; it is 'collector:4318'." in said
    assert "it ran" not in said


def test_wrong_settings_stop_a_command_that_does_not_check(startproject):
    """A23: where no check says it, the start does."""
    (startproject / "mysite" / "management" / "commands").mkdir(parents=True)
    (startproject / "mysite" / "management" / "commands" / "ours.py").write_text(
        "from django.core.management import BaseCommand\nclass Command(BaseCommand):\n"
        "    requires_system_checks = []\n    def handle(self, **_):\n        print('it ran')\n"
    )
    add(startproject, 'INSTALLED_APPS += ["mysite"]\nOTELKIT = {"traces": {"sample_rate": 1}}')
    code, said = run(startproject, "manage.py", "ours")
    assert code == 1
    assert said.strip().endswith('ConfigError: OTELKIT["traces"]["sample_rate"] is not a setting. Did you mean "sample_ratio"?')
    assert "it ran" not in said


def test_a_project_whose_database_is_down_starts_and_checks_clean(startproject):
    """A24: neither ``check`` nor the start asks the database, and the server answers what needs none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; it is the driver of the database that is down")
    port = refused_endpoint().rpartition(":")[2]
    add(
        startproject,
        'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "127.0.0.1", '
        f'"PORT": "{port}", "OPTIONS": {{"connect_timeout": 2}}}}}}\n'
        'OTELKIT = {"traces": {"exporters": []}, "metrics": {"exporters": []}, "logs": {"format": "json"}}',
    )
    assert run(startproject, "manage.py", "check") == (0, "System check identified no issues (0 silenced).\n")
    code, said = run(
        startproject,
        "-c",
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "import django; django.setup()\n"
        "from otelkit import startup; assert startup.current() is not None\n"
        "from django.test import Client\n"
        "print('ANSWERED', Client().get('/', headers={'host': 'localhost'}).status_code)\n",
    )
    assert code == 0, said
    assert "ANSWERED 200" in said
    assert not [line for line in said.splitlines() if '"level":"warning"' in line or '"level":"error"' in line], said


def test_checks_ask_no_database(monkeypatch):
    """A24."""

    def never(*_: object) -> None:
        raise AssertionError("a check asked the database")

    monkeypatch.setattr(CursorWrapper, "execute", never)
    assert "W099" not in [check.id for check, _ in findings(project_of_this_process())]


def test_a_check_of_ours_that_fails_stops_nobody(monkeypatch):
    """B6."""

    def breaks(_: Project) -> list[object]:
        raise RuntimeError("planted")

    broken = Check("W001", "", breaks)  # type: ignore[arg-type]
    monkeypatch.setattr(reporting, "CHECKS", (broken, *(check for check in CHECKS if check.id == "W004")))
    project = Project(load({"traces": {"sample_ratio": 0.0}}, {}), {}, settings)
    found = [(check.id, finding.message) for check, finding in findings(project)]
    assert found[0] == ("W099", "The check otelkit.W001 failed itself: RuntimeError: planted")
    assert [id_ for id_, _ in found] == ["W099", "W004"]


def test_a_switched_off_kit_checks_nothing():
    """A25."""
    off = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER_ARG": "0"}
    assert list(findings(Project(load({}, off), off, settings))) == []


@override_settings(SILENCED_SYSTEM_CHECKS=["otelkit.W004"], OTELKIT={"service": {"name": "shop"}, "traces": {"sample_ratio": 0.0}})
def test_what_the_project_silences_is_silent_everywhere():
    assert "W004" not in [check.id for check, _ in unsilenced(project_of_this_process())]
    assert "W004" in [check.id for check, _ in findings(project_of_this_process())]


@override_settings(OTELKIT={"service": {"name": "shop"}, "traces": {"sample_ratio": 0.0}})
def test_django_runs_them_by_their_tag():
    django_checks.register(system_checks, "otelkit")
    try:
        (message,) = [message for message in django_checks.run_checks(tags=["otelkit"]) if message.id == "otelkit.W004"]
    finally:
        django_checks.registry.registry.registered_checks.discard(system_checks)
    assert message.level == django_checks.WARNING
    assert message.hint


def test_ids_are_unique_and_the_table_lists_them_all():
    """CHECKS.md is generated; who adds a check and forgets `make generate` hears it here."""
    ids = [check.full_id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert re.findall(r"^\| `(otelkit\.[EW]\d{3})` \|", (REPOSITORY / "instrumentation" / "CHECKS.md").read_text(), re.MULTILINE) == ids
    assert all(check.about for check in CHECKS)
