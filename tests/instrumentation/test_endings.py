"""However a request ends, it ends once: counted, no longer active, its context gone, its exception unchanged."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from random import Random

import django
import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import AsyncClient, Client, override_settings
from opentelemetry import trace

from otelkit.request.state import CURRENT
from otelkit.testing import Telemetry, capture
from tests.backends import wait_until
from tests.instrumentation.asking import BOTH
from tests.project import views


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        yield telemetry


def assert_ended(telemetry: Telemetry, route: str) -> dict:
    """One span, one duration, one line, nobody active, nothing current."""
    assert telemetry.point("http.server.active_requests")["value"] == 0
    assert telemetry.point("http.server.request.duration", http_route=route)["count"] == 1
    assert len([line for line in telemetry.logs if line["event_name"] == "http.request"]) == 1
    assert not trace.get_current_span().get_span_context().is_valid
    assert CURRENT.get() is None
    return telemetry.span(f"GET {route}")


@pytest.mark.parametrize(("path", "error"), [("/exits", SystemExit), ("/generator-exits", GeneratorExit)])
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_what_passes_through_a_request_goes_on_unchanged(telemetry, path, error, client):
    """A7: under WSGI and ASGI."""

    async def ask() -> None:
        await AsyncClient().get(path)

    with pytest.raises(error) as raised:
        Client().get(path) if client is Client else asyncio.run(ask())
    if error is SystemExit:
        assert raised.value.code == 3
    span = assert_ended(telemetry, path)
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", error.__name__)


def test_a_cancelled_request_ends_and_is_no_failure_of_ours(telemetry):
    """A7: CancelledError is the client's leaving, or the server's stop."""

    async def ask() -> None:
        await AsyncClient().get("/async/cancelled")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())
    span = assert_ended(telemetry, "/async/cancelled")
    assert (span["status"], span["events"]) == ("UNSET", [])
    assert "error.type" not in span["attributes"]
    assert "http.response.status_code" not in span["attributes"]
    assert "errors.captured" not in telemetry.metrics


@contextmanager
def serving() -> Iterator[int]:
    """uvicorn with the tests' project in a thread of this process; gives its port."""
    config = uvicorn.Config(get_asgi_application(), host="127.0.0.1", port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, 10, "uvicorn serves")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django tells views that their client left since 5.0")
@pytest.mark.parametrize("path", ["/async/waits", "/async/drips"])
def test_a_client_that_leaves_a_real_server_ends_its_request(telemetry, path):
    """A7: over uvicorn, before the answer and in the middle of a streamed one. [three disconnects leave three active for ever]"""
    views.reached.clear()
    views.left.clear()
    with serving() as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            if path == "/async/drips":
                received = b""
                while b"first" not in received:
                    received += connection.recv(4096)
            assert views.reached.wait(10)
            assert telemetry.point("http.server.active_requests")["value"] == 1
        assert views.left.wait(10)
        wait_until(lambda: telemetry.point("http.server.active_requests")["value"] == 0, 10, "nobody is active")
    span = assert_ended(telemetry, path)
    assert span["status"] == "UNSET"


@pytest.mark.parametrize("ask", BOTH)
def test_a_forbidden_host_is_counted_and_logged(telemetry, ask):
    """A9."""
    assert ask("/items/7", headers={"host": "evil.example"}).status_code == 400
    (span,) = telemetry.spans
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    assert span["attributes"]["http.response.status_code"] == line["attributes"]["http.response.status_code"] == 400
    assert telemetry.point("http.server.request.duration", http_response_status_code=400)["count"] == 1
    assert "evil.example" not in f"{span}{line}"


@pytest.mark.parametrize("ask", BOTH)
def test_a_failure_before_the_view_is_counted_and_logged(ask):
    """A9."""
    with (
        override_settings(MIDDLEWARE=["tests.instrumentation.middlewares.breaks"]),
        capture({"logs": {"exporters": ["otlp"]}}) as telemetry,
    ):
        assert ask("/items/7").status_code == 500
        (span,) = telemetry.spans
        (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
        assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "RuntimeError")
        assert line["attributes"]["http.response.status_code"] == 500
        assert telemetry.point("errors.captured", exception_type="RuntimeError")["value"] == 1


def test_strangers_cannot_make_series(telemetry):
    """A11: 10,000 random paths and Host headers, 200 random methods, through the WSGI handler."""
    random = Random(11)
    application = get_wsgi_application()
    methods = ["".join(random.choices("ABCDEFGHIJ", k=6)) for _ in range(200)]
    with override_settings(ALLOWED_HOSTS=["*"]):
        for number in range(10_000):
            environ = {
                "REQUEST_METHOD": methods[number % 200] if number % 3 == 0 else "GET",
                "PATH_INFO": f"/{random.getrandbits(48):x}/{number}",
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "8000",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "HTTP_HOST": f"h{random.getrandbits(48):x}.example" if number % 50 else "no host at all",
                "REMOTE_ADDR": "127.0.0.1",
                "wsgi.url_scheme": "http",
                "wsgi.input": BytesIO(),
            }
            response = application(environ, lambda *_: None)
            response.close()
    metrics = telemetry.metrics
    series = metrics["http.server.request.duration"]
    assert sum(point["count"] for point in series) == 10_000
    assert {point["attributes"]["http.route"] for point in series} == {"unmatched"}
    assert {point["attributes"]["http.request.method"] for point in series} == {"GET", "_OTHER"}
    for name in ("http.server.active_requests", "django.request.phase.duration", "errors.captured"):
        assert len(metrics.get(name, [])) <= 4, name
    assert "otelkit.series.overflowed" not in metrics


def test_what_is_too_much_is_counted():
    """A11: past the cap there is one series more, and a counter that says so."""
    paths = ["/", "/items/1", "/missing", "/forbidden", "/suspicious", "/fails", "/nowhere", "/reset/x/", "/async/items/1", "/stream"]
    with capture({"metrics": {"series_cap": 10}}) as telemetry:
        for path in paths:
            for method in ("GET", "POST"):
                BOTH[0](path, method).close()
        series = telemetry.metrics["http.server.request.duration"]
        assert len(series) == 11
        assert sum(point["count"] for point in series) == 20
        (overflow,) = [point for point in series if "otel.metric.overflow" in point["attributes"]]
        counted = {point["attributes"]["metric"]: point["value"] for point in telemetry.metrics["otelkit.series.overflowed"]}
        assert overflow["count"] == counted["http.server.request.duration"] == 10
