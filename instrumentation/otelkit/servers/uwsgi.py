"""uWSGI: its workers are forked in C, past Python's own fork hooks, unless ``--py-call-osafterfork`` is set.

The module ``uwsgi`` exists only inside a uWSGI process, which puts it there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from otelkit.servers.base import Calls, Role, Server

_NAME = "uwsgi"
_NO_THREADS = (
    "uWSGI runs without enable-threads, so Python's threads stand still between two requests, and telemetry leaves late. "
    "Set enable-threads = true, or use uWSGI 2.0.27 or newer."
)
_THREADS_BY_DEFAULT = (2, 0, 27)


def find(calls: Calls) -> Server | None:  # noqa: ARG001  (uWSGI calls from C: there is nothing to see)
    """The part of this process in uWSGI, where it is one of its processes."""
    uwsgi = _module()
    if uwsgi is None:
        return None
    warning = "" if _has_threads(uwsgi) else _NO_THREADS
    if uwsgi.worker_id() > 0:
        return Server(_NAME, Role.WORKER, uwsgi.cores, warning)
    if uwsgi.mule_id() > 0 or uwsgi.i_am_the_spooler():
        return None
    return Server(_NAME, Role.MASTER, warning=warning)


def follow_forks(forked: Callable[[], None]) -> Callable[[], None]:
    """Calls ``forked`` in each new worker, also where Python's hooks are not called. Gives back the undoing."""
    uwsgi = _module()
    if uwsgi is None:
        return lambda: None
    before = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        forked()
        if before is not None:
            before()

    uwsgi.post_fork_hook = hook

    def restore() -> None:
        if getattr(uwsgi, "post_fork_hook", None) is hook:
            uwsgi.post_fork_hook = before or (lambda: None)

    return restore


def is_here() -> bool:
    """Whether this is a process of uWSGI."""
    return _module() is not None


def _module() -> Any:
    module = sys.modules.get("uwsgi")  # not by an import: a project may have a file of that name
    return module if hasattr(module, "worker_id") else None


def _has_threads(uwsgi: Any) -> bool:
    if tuple(uwsgi.version_info[:3]) >= _THREADS_BY_DEFAULT:
        return True
    options = {name.decode() if isinstance(name, bytes) else name for name in uwsgi.opt}
    return bool(options & {"enable-threads", "threads"})
