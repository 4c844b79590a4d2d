"""The pytest plugin: the fixture ``telemetry``, and the markers ``telemetry`` and ``query_budget``.

pytest loads it by its entry point in every project that has otelkit installed, so it imports nothing but pytest until a test asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otelkit.testing.telemetry import Telemetry

_MARKERS = (
    "telemetry(settings=None, environ=None, *, fixed=False): what otelkit.testing.capture() is given for the fixture telemetry",
    "query_budget(at_most, name=None): fail where a request of this test runs more queries than that",
)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def telemetry(request: pytest.FixtureRequest) -> Iterator[Telemetry]:
    """Everything the kit sends, writes and passes on while the test runs (see ``otelkit.testing.capture``)."""
    from otelkit.testing.capturing import capture

    marker = request.node.get_closest_marker("telemetry")
    with capture(*marker.args, **marker.kwargs) if marker else capture() as captured:
        yield captured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Holds a test to its query budget, and shows the spans of one that fails."""
    captured: Telemetry | None = getattr(item, "funcargs", {}).get("telemetry")
    marker = item.get_closest_marker("query_budget")
    try:
        if marker is None:
            return (yield)
        from otelkit.testing.capturing import query_budget

        with query_budget(*marker.args, **marker.kwargs):
            return (yield)
    except BaseException:
        if captured is not None and hasattr(captured, "tree"):  # a project may have a fixture of this name of its own
            with suppress(Exception):  # the test's own failure is the news
                item.add_report_section("call", "telemetry", captured.tree())
        raise
