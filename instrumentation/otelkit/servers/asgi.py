"""The servers for ASGI that start their workers without a fork of a loaded application: uvicorn, hypercorn and daphne."""

from __future__ import annotations

from otelkit.servers.base import Calls, Role, Server


def _uvicorn(calls: Calls) -> Server | None:
    calls = calls.of("uvicorn")
    if not calls:
        return None
    config = calls.instance("uvicorn.config", "Config")
    return Server("uvicorn", Role.WORKER, config.limit_concurrency if config else None)


def _hypercorn(calls: Calls) -> Server | None:
    calls = calls.of("hypercorn")
    if not calls:
        return None
    # With its reloader the master loads the application too, only to learn which files to watch.
    works = any(module in ("hypercorn.asyncio.run", "hypercorn.trio.run") for module in calls.modules)
    return Server("hypercorn", Role.WORKER if works else Role.MASTER)


def _daphne(calls: Calls) -> Server | None:
    return Server("daphne", Role.WORKER) if calls.of("daphne") else None


FINDERS = (_uvicorn, _hypercorn, _daphne)
