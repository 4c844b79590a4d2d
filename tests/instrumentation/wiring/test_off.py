"""A25, A26: switched off, and after stop(), each of the ways in leaves the process as it would be without the kit."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest

from tests.instrumentation.wiring.project import LINE, NO_LINE, PROGRAMS, PYTHON, Project, make_project
from tests.receivers import Receiver

LOOKS = """
import json, sys
import shop.wsgi, shop.asgi
{first}
modules = sorted(sys.modules)
import atexit, logging, os, signal, threading
from importlib import import_module
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import connection
from django.db.backends.signals import connection_created

PATCHED = {
    "django.core.handlers.asgi": "ASGIHandler.__call__",
    "django.utils.log": "configure_logging",
    "django.core.cache.backends.base": "BaseCache.get",
    "django.template.backends.django": "Template.render",
    "django.apps.registry": "apps.populate",
    "requests.adapters": "HTTPAdapter.send",
    "httpx": "HTTPTransport.handle_request",
    "urllib3.connectionpool": "HTTPConnectionPool._make_request",
    "aiohttp": "ClientSession._request",
    "redis": "Redis.execute_command",
    "rest_framework.views": "APIView.check_throttles",
    "ninja.operation": "Operation.run",
    "structlog": "get_config",
}

def found(module, path):
    try:
        value = import_module(module)
    except ImportError:
        return None
    for name in path.split("."):
        value = getattr(value, name)
    code = value.__code__
    return [code.co_filename, code.co_name]

with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
told = {
    "modules": modules,
    "middleware": list(settings.MIDDLEWARE),
    "chain": type(shop.wsgi.application._middleware_chain).__name__,
    "threads": [thread.name for thread in threading.enumerate()],
    "functions": {path: found(module, path) for module, path in PATCHED.items()},
    "execute wrappers": len(connection.execute_wrappers),
    "receivers": [len(got_request_exception.receivers), len(connection_created.receivers)],
    "handlers": [[type(handler).__name__ for handler in logging.getLogger(name).handlers] for name in ("", "django", "django.server")],
    "at exit": atexit._ncallbacks(),
    "SIGTERM": str(signal.getsignal(signal.SIGTERM)),
    "finders": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path],
}
print(json.dumps(told))
"""
OFF = {
    "by OpenTelemetry's variable": ({"OTEL_SDK_DISABLED": "true"}, ""),
    "by ours": ({"OTELKIT_ENABLED": "false"}, ""),
    "by the settings": ({}, 'OTELKIT["enabled"] = False\n'),
}
WAYS = {
    "the line": (LINE, "", (PYTHON,)),
    "otelkit.auto": (NO_LINE, "import otelkit.auto", (PYTHON,)),
    "otelkit run": (NO_LINE, "", (str(PROGRAMS / "otelkit"), "run", "python")),
}


def look(
    project: Project, installed: str, before: str, command: tuple[str, ...], settings: str = "", first: str = "", **environment: str
) -> dict[str, Any]:
    project.settings(installed, settings)
    project.wsgi(before=before)
    project.asgi(before=before)
    project.write("looks.py", LOOKS.replace("{first}", first))
    (line,) = [line for line in project.run(*command, "looks.py", **environment).stdout.splitlines() if line.startswith('{"modules"')]
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The look of a process without the kit."""
    return look(make_project(tmp_path_factory.mktemp("untouched")), NO_LINE, "", (PYTHON,))


@pytest.mark.parametrize("off", OFF.values(), ids=OFF)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_switched_off_nothing_is_changed_and_nothing_heavy_imported(
    project: Project, untouched: dict[str, Any], way: tuple[str, str, tuple[str, ...]], off: tuple[dict[str, str], str]
):
    """No middleware, no thread, no patched function; of the kit, what reads the settings."""
    without = dict(untouched)
    within = look(project, *way, off[1], **off[0])
    imported = {name for name in set(within.pop("modules")) - set(without.pop("modules")) if not name.startswith("otelkit")}
    assert within == without
    heavy = {"opentelemetry", "urllib3", "structlog", "prometheus_client", "google", "orjson", "httpx", "requests", "rich", "wrapt"}
    assert not {name.partition(".")[0] for name in imported} & heavy


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_same_look_sees_the_kit_when_it_is_on(
    project: Project, running: Receiver, untouched: dict[str, Any], way: tuple[str, str, tuple[str, ...]]
):
    """The loud case beside the silent one."""
    without = untouched
    within = look(project, *way, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    differing = {key for key in without if without[key] != within[key]}
    assert {"modules", "middleware", "threads", "functions", "execute wrappers", "receivers", "handlers", "at exit", "SIGTERM"} <= differing


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_after_stop_nothing_is_left_but_imports(
    project: Project, running: Receiver, untouched: dict[str, Any], way: tuple[str, str, tuple[str, ...]]
):
    """A26: twice is once, here too."""
    stop = "from otelkit import startup\nassert startup.start() is startup.start() is not None\nstartup.stop()\nstartup.stop()"
    without = dict(untouched)
    within = look(project, *way, first=stop, OTEL_EXPORTER_OTLP_ENDPOINT=running.endpoint)
    for side in (without, within):
        del side["modules"], side["at exit"]  # what modules register when they are imported, multiprocessing's among them
    assert within == without


ABSENT = [name for name in ("aiohttp", "httpx", "ninja", "redis", "requests", "rest_framework") if find_spec(name) is None]


@pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)}")
def test_what_is_looked_at_exists(untouched: dict[str, Any]):
    """A function that a library has renamed would be equal on both sides for ever."""
    assert None not in untouched["functions"].values()
