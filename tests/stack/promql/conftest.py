"""Says at the end of a run what became of Prometheus' own test scripts."""

from __future__ import annotations

import pytest

LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in sorted(config.stash[LINES]):
        terminalreporter.write_line(f"PromQL script {line}")
