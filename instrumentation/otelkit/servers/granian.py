"""granian: WSGI and ASGI. Its workers are children of multiprocessing."""

from __future__ import annotations

from otelkit.servers.base import Calls, Role, Server


def find(calls: Calls) -> Server | None:
    """The part of this process in granian, whose master does not load the application."""
    calls = calls.of("granian")
    if not calls:
        return None
    server = calls.instance(
        "granian.server.common", "AbstractServer"
    )  # a forked worker still stands in its master's calls; a spawned one does not
    if server is None:
        return Server("granian", Role.WORKER)
    at_once = server.backpressure
    if server.interface.value == "wsgi":
        at_once = min(at_once, server.blocking_threads)
    return Server("granian", Role.WORKER, int(at_once))
