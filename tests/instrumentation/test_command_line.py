"""``otelkit status``, and what every command has in common, as a person types it in a project of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.instrumentation.shop import make, otelkit


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make(tmp_path)


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


def test_status_counts_what_the_checks_find(project):
    _, said = otelkit(project, "status")
    assert "Checks\n  1 warning; `manage.py check --tag otelkit` or `otelkit doctor` says which" in said
    _, said = otelkit(project, "status", OTEL_SERVICE_NAME="shop")
    assert "Checks\n  nothing found" in said


def test_status_speaks_json(project):
    """The same for programs: what is on and off and why, where each setting comes from, and no secret."""
    code, said = otelkit(project, "status", "--json", OTEL_TRACES_SAMPLER_ARG="0.5", OTEL_METRICS_EXPORTER="none")
    found = json.loads(said)
    settings = {setting["name"]: setting for setting in found["settings"]}
    assert code == 0
    assert found["is_on"] is True
    assert found["resource"]["service.name"] == "shop"
    assert found["findings"] == {"errors": 0, "warnings": 1}
    assert any(note.startswith("metrics: ") for note in found["set_up"])
    assert settings["traces.sample_ratio"] == {"name": "traces.sample_ratio", "value": "0.5", "origin": "OTEL_TRACES_SAMPLER_ARG"}
    assert settings["logs.exporters"]["origin"] == 'OTELKIT["logs"]["exporters"]'
    assert settings["logs.format"]["origin"] == "preset production"
    assert "s3cr3t" not in said


def test_status_of_a_kit_that_is_off_says_by_whom_and_with_which_settings(project):
    code, said = otelkit(project, "status", OTEL_SDK_DISABLED="true")
    assert code == 0
    assert said.splitlines()[0] == "otelkit 0.1.0 is off (OTEL_SDK_DISABLED)."
    assert "traces.sample_ratio" in said
    _, said = otelkit(project, "status", "--json", OTEL_SDK_DISABLED="true")
    assert json.loads(said)["is_on"] is False


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
