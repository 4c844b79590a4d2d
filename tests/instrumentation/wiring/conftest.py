"""A project and a receiver for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instrumentation.wiring.project import Project, make_project
from tests.receivers import Receiver, receiver


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One without a trace of otelkit."""
    return make_project(tmp_path)


@pytest.fixture
def running() -> Iterator[Receiver]:
    """One that takes everything."""
    with receiver() as found:
        yield found
