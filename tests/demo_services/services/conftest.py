"""The shop of the living demo, asked as browsers, services and operators ask it."""

from __future__ import annotations

import pytest

from tests.demo_services.running_demo import RunningDemo
from tests.demo_services.services.shop import Shop


@pytest.fixture(scope="session")
def shop(demo: RunningDemo) -> Shop:
    """The shop, with a little load by others."""
    return Shop(demo)
