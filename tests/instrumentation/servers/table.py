"""Every server that A3 names: its command, what it needs, and what its workers should say of themselves."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pytest

_SHOP = "tests.instrumentation.servers.shop"
_WSGI, _ASGI = f"{_SHOP}.wsgi:application", f"{_SHOP}.asgi:application"
_PROGRAMS = Path(sys.executable).parent
_PYTHON = sys.executable
_IN_DEV = ("", "gunicorn", "uvicorn")


@dataclass(frozen=True)
class Server:
    """How to run one server. ``{port}`` in the command is where it shall listen, on 127.0.0.1."""

    name: str
    command: tuple[str, ...]
    label: str
    """What ``worker.pool.busy`` calls it; empty for one without a pool."""
    needs: str = ""
    """A package; nothing for Django's own server."""
    is_async: bool = False
    """Whether it speaks ASGI."""
    workers: int = 1
    loaded_once: bool = False
    """Whether one process loads the application and forks the others."""
    capacity: int | None = None
    """Requests that all workers can work on at once."""
    paths: tuple[str, ...] = ("/trace", "/async/trace")
    by_ctrl_c: bool = False
    """Ended like at a terminal, where everyone gets SIGINT. At SIGTERM, Django's autoreloader kills the process that serves by SIGKILL."""

    def as_parameter(self, *, always: bool = True) -> object:
        """For pytest. What needs the extra `servers` is run by `make servers`, and so is what ``always`` says no of."""
        marks = [] if always and self.needs in _IN_DEV else [pytest.mark.servers]
        if self.needs and find_spec(self.needs) is None:
            marks.append(pytest.mark.skip(reason=f"{self.needs} is not installed; `make servers` installs it"))
        return pytest.param(self, id=self.name, marks=marks)


def _gunicorn(
    name: str, *options: str, capacity: int | None, needs: str = "gunicorn", is_async: bool = False, by_module: bool = False
) -> Server:
    program = (_PYTHON, "-m", "gunicorn") if by_module else (str(_PROGRAMS / "gunicorn"),)
    command = (*program, "--bind", "127.0.0.1:{port}", "--workers", "2", *options, _ASGI if is_async else _WSGI)
    # Async views under WSGI need an event loop of their own, of which asgiref allows one a thread: gevent has many requests in one thread.
    paths = ("/trace",) if "gevent" in options else Server.paths
    return Server(f"gunicorn {name}", command, "gunicorn", needs, is_async, 2, "--preload" in options, capacity, paths)


def _uwsgi(name: str, *options: str, workers: int = 2, capacity: int = 2) -> Server:
    command = (str(_PROGRAMS / "uwsgi"), "--http-socket", "127.0.0.1:{port}", "--module", _WSGI, *options)
    return Server(f"uwsgi {name}", command, "uwsgi", "pyuwsgi", False, workers, "--lazy-apps" not in options, capacity)


def _runserver(name: str, *options: str, by_ctrl_c: bool = False) -> Server:
    command = (_PYTHON, str(Path(__file__).parent / "shop" / "manage.py"), "runserver", "127.0.0.1:{port}", *options)
    return Server(name, command, "", by_ctrl_c=by_ctrl_c)


# Without the hook, uWSGI ends workers in the middle of a request, and those leave past Python's exit handlers.
_IN_ORDER = ("--master", "--hook-master-start", "unix_signal:15 gracefully_kill_them_all")
_MASTER = (*_IN_ORDER, "--processes", "2")

SERVERS = (
    _runserver("runserver with its autoreloader", by_ctrl_c=True),
    _runserver("runserver --noreload", "--noreload"),
    _gunicorn("sync", capacity=2),
    _gunicorn("sync --preload", "--preload", capacity=2),
    _gunicorn("gthread", "--threads", "4", capacity=8),
    _gunicorn("gthread --preload", "--threads", "4", "--preload", capacity=8),
    _gunicorn("by python -m", capacity=2, by_module=True),
    _gunicorn("asgi", "--worker-class", "asgi", "--worker-connections", "50", capacity=100, is_async=True),
    _gunicorn("gevent", "--worker-class", "gevent", "--worker-connections", "50", capacity=100, needs="gevent"),
    _gunicorn("gevent --preload", "--worker-class", "gevent", "--worker-connections", "50", "--preload", capacity=100, needs="gevent"),
    _gunicorn("uvicorn", "--worker-class", "uvicorn_worker.UvicornWorker", capacity=None, needs="uvicorn_worker", is_async=True),
    _gunicorn("uvicorn --preload", "-k", "uvicorn_worker.UvicornWorker", "--preload", capacity=None, needs="uvicorn_worker", is_async=True),
    Server("uvicorn", (str(_PROGRAMS / "uvicorn"), "--port", "{port}", _ASGI), "uvicorn", "uvicorn", is_async=True),
    Server(
        "uvicorn by python -m, bounded",
        (_PYTHON, "-m", "uvicorn", "--port", "{port}", "--limit-concurrency", "50", _ASGI),
        "uvicorn",
        "uvicorn",
        is_async=True,
        capacity=50,
    ),
    Server(
        "uvicorn --workers", (_PYTHON, "-m", "uvicorn", "--port", "{port}", "--workers", "2", _ASGI), "uvicorn", is_async=True, workers=2
    ),
    _uwsgi("one worker", *_IN_ORDER, workers=1, capacity=1),
    _uwsgi("prefork", *_MASTER),
    _uwsgi("prefork --py-call-osafterfork", *_MASTER, "--py-call-osafterfork"),
    _uwsgi("--lazy-apps", *_MASTER, "--lazy-apps"),
    _uwsgi("--threads", *_MASTER, "--enable-threads", "--threads", "4", capacity=8),
    Server(
        "granian wsgi",
        (str(_PROGRAMS / "granian"), "--interface", "wsgi", "--port", "{port}", "--workers", "2", "--blocking-threads", "4", _WSGI),
        "granian",
        "granian",
        workers=2,
        capacity=8,
    ),
    Server(
        "granian asgi",
        (str(_PROGRAMS / "granian"), "--interface", "asgi", "--port", "{port}", "--workers", "2", "--backpressure", "50", _ASGI),
        "granian",
        "granian",
        is_async=True,
        workers=2,
        capacity=100,
    ),
    Server(
        "granian asginl",
        (str(_PROGRAMS / "granian"), "--interface", "asginl", "--port", "{port}", "--backpressure", "50", _ASGI),
        "granian",
        "granian",
        is_async=True,
        capacity=50,
    ),
    Server("hypercorn", (str(_PROGRAMS / "hypercorn"), "--bind", "127.0.0.1:{port}", _ASGI), "hypercorn", "hypercorn", is_async=True),
    Server(
        "hypercorn --workers",
        (str(_PROGRAMS / "hypercorn"), "--bind", "127.0.0.1:{port}", "--workers", "2", _ASGI),
        "hypercorn",
        "hypercorn",
        is_async=True,
        workers=2,
    ),
    Server("daphne", (str(_PROGRAMS / "daphne"), "--port", "{port}", _ASGI), "daphne", "daphne", is_async=True),
)

EVERY_SERVER = [server.as_parameter(always=server.name not in ("gunicorn asgi", "gunicorn gthread --preload")) for server in SERVERS]
# Django's own server goes on to answer until it is gone.
EVERY_SERVER_THAT_ENDS_IN_ORDER = [
    server.as_parameter(always=server.name in ("gunicorn sync --preload", "gunicorn gthread", "uvicorn --workers"))
    for server in SERVERS
    if not server.name.startswith("runserver")
]


def named(name: str, *options: str) -> Server:
    """A server of the table, with more options. Skips the test where it is not installed."""
    (server,) = [server for server in SERVERS if server.name == name]
    if server.needs:
        pytest.importorskip(server.needs, reason=f"{server.needs} is not installed")
    return replace(server, command=(*server.command[:-1], *options, server.command[-1]))
