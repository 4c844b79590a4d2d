"""What every test may rely on: a Django project with tables, an environment without OpenTelemetry's variables, the kit off at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

for _name in [name for name in os.environ if name.startswith(("OTEL_", "OTELKIT_"))]:
    del os.environ[_name]
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
_folder = tempfile.mkdtemp(prefix="otelkit-tests-")
os.environ["TESTS_DATABASE"] = str(Path(_folder) / "tests.sqlite3")

import django  # noqa: E402  (after the environment it reads)

django.setup()


@pytest.fixture(scope="session", autouse=True)
def _tables() -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", run_syncdb=True, verbosity=0)
    yield
    connections.close_all()
    shutil.rmtree(_folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _kit_is_off() -> Iterator[None]:
    """A test that forgets to stop the kit fails itself, not the next one."""
    from otelkit import startup

    yield
    running = startup.current() is not None
    startup.stop()
    assert not running, "this test left otelkit running"
