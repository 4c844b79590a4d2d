"""gunicorn: every worker class. Its master loads the application under ``--preload``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otelkit.servers.base import Calls, Role, Server

_NAME = "gunicorn"


def find(calls: Calls) -> Server | None:
    """The part of this process in gunicorn, where it is one of its processes."""
    calls = calls.of("gunicorn")
    if not calls or any(module.startswith("gunicorn.dirty") for module in calls.modules):
        return None  # its "dirty" workers run jobs, not requests
    worker = calls.instance("gunicorn.workers.base", "Worker")
    if worker is None:
        return Server(_NAME, Role.MASTER)
    return Server(_NAME, Role.WORKER, _capacity(worker), after_loading=lambda begin: _after_loading(worker, begin))


def _capacity(worker: Any) -> int | None:
    """By the class: a class of somebody else's that limits nothing we know of (uvicorn's) has no bound."""
    kinds = {kind.__name__ for kind in type(worker).__mro__ if kind.__module__.startswith("gunicorn.")}
    if "SyncWorker" in kinds:
        return 1
    if "ThreadWorker" in kinds:
        return int(worker.cfg.threads)
    if {"AsyncWorker", "ASGIWorker"} & kinds:
        return int(worker.cfg.worker_connections)
    return None


def _after_loading(worker: Any, begin: Callable[[], None]) -> None:
    """When the worker has dropped its privileges and renewed gevent's hub, which it does between the fork and loading."""
    if worker.PIPE:  # made between the two, so it is loading now
        begin()
        return
    load = worker.load_wsgi

    def load_and_begin() -> None:
        load()
        begin()

    worker.load_wsgi = load_and_begin
