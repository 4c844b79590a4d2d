"""Waiting until a server answers its readiness probe."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otelkit_demo.errors import DemoError
from otelkit_demo.probe import trouble
from otelkit_demo.processes import Child

READY_SECONDS = 45.0
"""How long the demo waits for a server before it gives up."""


@dataclass(frozen=True, slots=True)
class Server:
    """A child that listens at ``url`` and says at ``probe`` whether it is ready."""

    child: Child
    url: str
    probe: str


def wait_until_ready(servers: Sequence[Server], check: Callable[[], None]) -> dict[str, float]:
    """Wait until every server is ready. Returns, by name, the seconds since it was started.

    ``check`` is called between tries and raises where waiting has become pointless.
    Raises DemoError where a server is not ready in time.
    """
    ready: dict[str, float] = {}
    end = time.monotonic() + READY_SECONDS
    while waiting := [server for server in servers if server.child.name not in ready]:
        check()
        for server in waiting:
            if trouble(server.url + server.probe) is None:
                ready[server.child.name] = time.monotonic() - server.child.started
            elif time.monotonic() > end:
                raise DemoError(
                    f"{server.child.name} was not ready within {READY_SECONDS:g} s. Its last lines:\n{server.child.last_lines()}"
                )
        time.sleep(0.02)
    return ready
