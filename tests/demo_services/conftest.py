"""One living demo for all tests that only look at it or send it requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo_services.running_demo import RunningDemo, running_demo


@pytest.hookimpl(tryfirst=True)  # before the markers choose
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Twenty processes want the machine for themselves: whoever asks for the living demo is run by ``make system``."""
    for item in items:
        if "demo" in getattr(item, "fixturenames", ()):
            item.add_marker("system")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """The demo with a little load, without faults."""
    # What a shell may have exported must not reach the services: it would rename and silence them.
    exported = {"OTEL_SERVICE_NAME": "from-the-shell", "OTEL_SDK_DISABLED": "true", "HTTP_PROXY": "http://127.0.0.1:9"}
    with running_demo(tmp_path_factory.mktemp("demo") / "data", "--load", "2", environment=exported) as running:
        yield running
