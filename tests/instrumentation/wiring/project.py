"""A small Django project on disk, what runs it, and what arrived from it: every test here is a process of its own."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.receivers import Receiver

LINE = '["otelkit", "shop"]'
NO_LINE = '["shop"]'

SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = {installed}
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
OTELKIT = {{"service": {{"name": "shop"}}, "logs": {{"level": "WARNING"}}}}
"""
URLS = """
import os
from django.db import connection
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path

def item(request, pk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [pk])
    return HttpResponse("ok")

async def item_async(request, pk):
    return HttpResponse("ok")

def missing(request):
    raise Http404("no such item")

def boom(request):
    raise RuntimeError("planted")

def stream(request):
    def pieces():
        yield "one"
        with connection.cursor() as cursor:
            cursor.execute("SELECT 2")
        yield "two"
    return StreamingHttpResponse(pieces())

async def stream_async(request):
    async def pieces():
        yield "one"
        yield "two"
    return StreamingHttpResponse(pieces())

def call(request, library):
    import importlib
    importlib.import_module(library).get(os.environ["SHOP_CALLS"])
    return HttpResponse("called")

urlpatterns = [
    path("items/<int:pk>", item),
    path("async/items/<int:pk>", item_async),
    path("missing", missing),
    path("boom", boom),
    path("stream", stream),
    path("async/stream", stream_async),
    path("call/<str:library>", call),
    path("livez", item, {"pk": 1}),
]
"""
MANAGE = """
import os, sys
{before}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
APPLICATION = """
import os
{before}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.{kind} import get_{kind}_application
{between}
application = get_{kind}_application()
{after}
"""
ASK = '''
"""What a server does: imports the application and calls it. Prints the statuses."""
import asyncio, importlib, os, sys
from wsgiref.util import setup_testing_defaults

def ask(application, path, headers):
    route, _, query = path.partition("?")
    environ = {"PATH_INFO": route, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1"}
    if "SHOP_WITHOUT_RAW_URI" not in os.environ:  # gunicorn and uWSGI say it, runserver and mod_wsgi do not
        environ["RAW_URI"] = path
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
    setup_testing_defaults(environ)
    said = []
    body = application(environ, lambda status, headers, exc_info=None: said.append(status.split()[0]))
    try:
        list(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return said[0]

async def ask_async(application, path, headers):
    route, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": "",
        "path": route, "raw_path": route.encode(), "query_string": query.encode(),
        "client": ("127.0.0.1", 41000), "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"127.0.0.1:8000"), *((name.encode(), value.encode()) for name, value in headers)],
    }
    asked, said = asyncio.Event(), []

    async def receive():
        if asked.is_set():
            await asyncio.Event().wait()
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            said.append(str(message["status"]))

    await application(scope, receive, send)
    return said[0]

headers = [("traceparent", sys.argv.pop(1))] if len(sys.argv[1]) == 55 else []
module, *paths = sys.argv[1:]
application = importlib.import_module(module).application
for path in paths:
    if module.endswith("asgi"):
        print(asyncio.run(ask_async(application, path, headers)))
    else:
        print(ask(application, path, headers))
'''


@dataclass(frozen=True, slots=True)
class Project:
    """Its folder, and the programs in it."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        """One file more, or another one."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def wsgi(self, before: str = "", between: str = "", after: str = "") -> None:
        """shop/wsgi.py: with these lines first, before the application is made, and behind it."""
        self.write("shop/wsgi.py", APPLICATION.format(kind="wsgi", before=before, between=between, after=after))

    def asgi(self, before: str = "", between: str = "", after: str = "") -> None:
        """The same for shop/asgi.py."""
        self.write("shop/asgi.py", APPLICATION.format(kind="asgi", before=before, between=between, after=after))

    def settings(self, installed: str, more: str = "") -> None:
        """shop/settings.py."""
        self.write("shop/settings.py", SETTINGS.format(installed=installed) + more)

    def environment(self, **more: str) -> dict[str, str]:
        """That of a shell in which nothing is set but what the test says."""
        ours = ("OTEL", "DJANGO", "PYTHON", "TESTS_")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more

    def run(self, *command: str, fails: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command in the project's folder, until its end."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**environment), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done


def make_project(folder: Path, installed: str = NO_LINE) -> Project:
    """With these apps, and with no other trace of otelkit."""
    project = Project(folder)
    project.settings(installed)
    project.write("shop/__init__.py", "")
    project.write("shop/urls.py", URLS)
    project.write("manage.py", MANAGE.format(before=""))
    project.write("ask.py", ASK)
    project.wsgi()
    project.asgi()
    return project


PYTHON = sys.executable
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Span:
    """What a test asks of one."""

    name: str
    kind: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    status: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What arrived at a receiver."""

    spans: list[Span] = field(default_factory=list)
    metrics: list[tuple[str, str, dict[str, Any], float]] = field(default_factory=list)
    """Scope, name, labels, and the newest count or value."""

    def of_kind(self, kind: str) -> list[Span]:
        """SERVER, CLIENT or INTERNAL."""
        return [span for span in self.spans if span.kind == kind]

    def count(self, name: str) -> float:
        """Sum over all scopes and labels."""
        return sum(value for _, metric, _, value in self.metrics if metric == name)


def received(running: Receiver) -> Telemetry:
    """Everything so far, each metric with its newest value."""
    spans = [span for body in _bodies(running, "/v1/traces") for span in _spans(body)]
    newest: dict[tuple[str, str, str], tuple[str, str, dict[str, Any], float]] = {}
    for body in _bodies(running, "/v1/metrics"):
        for scope, name, labels, value in _points(body):
            newest[scope, name, str(labels)] = scope, name, labels, value
    return Telemetry(spans, list(newest.values()))


def _bodies(running: Receiver, path: str) -> Iterator[bytes]:
    for where, headers, body in running.requests:
        if where == path:
            yield gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


def _spans(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    _KINDS[span.kind],
                    scope.scope.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code,
                    _plain(span.attributes),
                    _plain(resource.resource.attributes),
                )


def _points(body: bytes) -> Iterator[tuple[str, str, dict[str, Any], float]]:
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, str(metric.WhichOneof("data"))).data_points:
                    value = point.count if hasattr(point, "bucket_counts") else getattr(point, point.WhichOneof("value") or "as_double")
                    yield scope.scope.name, metric.name, _plain(point.attributes), float(value)


def _plain(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}


def lines_of(output: str) -> list[dict[str, Any]]:
    """The JSON lines among what a process printed."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def access_lines(output: str) -> list[dict[str, Any]]:
    """Those of requests."""
    return [line for line in lines_of(output) if line.get("event.name") == "http.request"]
