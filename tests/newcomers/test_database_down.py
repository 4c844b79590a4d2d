"""A24: a database that is not there when the service starts is Django's business, at the first query, and nobody's before."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tests.newcomers.test_newcomers import GUNICORN, requests_of
from tests.newcomers.trying import Client, copy_of
from tests.receivers import refused_endpoint


def visit(ask: Client) -> None:
    ask("GET", "/api/")
    ask("GET", "/api/books/")


def test_a_service_starts_while_its_database_is_down(tmp_path: Path):
    """A24: checks pass, the server starts, what needs no database answers, and the kit adds at most one warning."""
    for module in ("rest_framework", "gunicorn", "psycopg"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed; it comes with otelkit[dev].")
    project = copy_of("library", "library", GUNICORN, tmp_path)
    port = refused_endpoint().rpartition(":")[2]
    down = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "USER": "app", "PASSWORD": "hunter2-db", "HOST": "127.0.0.1"}
    with project.settings.open("a") as file:
        file.write(f"DATABASES = {{'default': {down | {'PORT': port}!r}}}\n")
    without = project.run(visit)
    project.add_the_line()
    project.manage("check")
    tried = project.run(visit)
    assert [answer.status for answer in tried.answers] == [200, 500]
    assert tried.answers == without.answers
    assert requests_of(tried) == [("GET /api/", 200), ("GET /api/books/", 500)]
    tried.received.assert_span("GET /api/books/", {"error.type": "django.db.utils.OperationalError"}, status="ERROR")
    lines = [json.loads(line) for line in tried.output.splitlines() if line.startswith("{")]
    warnings = [line for line in lines if line["logger"].startswith("otelkit") and line["level"] == "warning"]
    assert len(warnings) <= 1, warnings
    tried.received.assert_no_secrets("hunter2-db")
    assert "hunter2-db" not in tried.output
