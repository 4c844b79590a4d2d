"""What every test may rely on: a Django project with tables, an environment without OpenTelemetry's variables, the kit off at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.last_lines import LAST_LINES
from tests.side_by_side import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

if "OTELKIT_SHARED" in os.environ:  # says where tests find files, and is no setting of the kit
    os.environ["TESTS_SHARED"] = os.environ["OTELKIT_SHARED"]
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


@pytest.fixture(autouse=True)
def _async_tests_forget_their_connections() -> Iterator[None]:
    """The thread that runs the sync parts of async tests outlives them, and what it opened while one kit ran is hidden from the next."""
    from asgiref.sync import SyncToAsync
    from django.db import connections

    yield
    executor = SyncToAsync.single_thread_executor
    if executor._threads:
        executor.submit(connections.close_all).result()


_NEEDS = {
    "backends": ("make backends", ("prometheus", "promtool", "alertmanager", "amtool", "otelcol-contrib", "loki")),
    "containers": ("make containers", ("docker",)),
    "servers": ("make servers", ()),
    "soak": ("make soak", ()),
    "system": ("make system", ()),
    "wheel": ("make wheel", ()),
}
"""Marker -> (the command that runs its tests, the programs it needs)."""

_left_out: dict[str, int] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LAST_LINES] = set()
    if django.VERSION < (5, 0):  # which leaves the body of an ASGI request for the garbage collector to close
        config.addinivalue_line("filterwarnings", "ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning")


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Counts what this run leaves to another command."""
    for item in items:
        for marker in _NEEDS:
            if item.get_closest_marker(marker):
                _left_out[marker] = _left_out.get(marker, 0) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hostile texts, as tests log and compare them, are no UTF-8, and a report of one of several processes must be."""
    report = yield
    report.sections = [(title, _utf8(text)) for title, text in report.sections]
    shown = str(report.longrepr)
    if _utf8(shown) != shown:
        report.longrepr = _utf8(shown)
    return report


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """E2: what was not run is named, with the command that runs it and the programs that are missing here."""
    lines = session.config.stash[LAST_LINES]
    for marker, count in _left_out.items():
        command, programs = _NEEDS[marker]
        missing = [program for program in programs if shutil.which(program) is None]
        said = f"; not on PATH: {', '.join(missing)}" if missing else ""
        lines.add(f"left out: {count} tests marked {marker}, run by `{command}`{said}")
    if hasattr(session.config, "workeroutput"):  # one of several processes, whose words nobody reads
        session.config.workeroutput["last lines"] = sorted(lines)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes has ended."""
    node.config.stash[LAST_LINES].update(getattr(node, "workeroutput", {}).get("last lines", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in sorted(config.stash[LAST_LINES]):
        terminalreporter.write_line(line)
