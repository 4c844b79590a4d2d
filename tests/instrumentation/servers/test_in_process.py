"""A3 without a server: Django's test client, sync and async, and the server that LiveServerTestCase runs in a thread."""

from __future__ import annotations

import asyncio
import threading
import unittest
from io import BytesIO
from urllib.request import urlopen

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import AsyncClient, Client, LiveServerTestCase, override_settings
from opentelemetry import trace

from otelkit.request.state import CURRENT
from otelkit.testing import Telemetry, capture


def assert_one_of_each(telemetry: Telemetry, requests: int) -> None:
    assert [span["name"] for span in telemetry.spans if span["kind"] == "SERVER"] == ["GET /items/{pk}"] * requests
    assert telemetry.point("http.server.request.duration", http_route="/items/{pk}")["count"] == requests
    assert len([line for line in telemetry.logs if line["event_name"] == "http.request"]) == requests


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_request_of_the_test_client_is_recorded_once(client):
    """A3."""

    async def ask() -> int:
        return (await AsyncClient().get("/items/7")).status_code

    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        for _ in range(3):
            assert (Client().get("/items/7").status_code if client is Client else asyncio.run(ask())) == 200
        assert_one_of_each(telemetry, 3)


def test_a_request_to_a_live_server_of_a_test_is_recorded_once():
    """A3: its thread makes a handler of its own."""

    @override_settings(STATIC_URL="/static/", MEDIA_URL="/media/")
    class Live(LiveServerTestCase):
        def test_it(self) -> None:
            for _ in range(3):
                with urlopen(f"{self.live_server_url}/items/7", timeout=10) as answer:
                    assert answer.read() == b"ok"

    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Live).run(result)
        assert result.testsRun == 1
        assert result.errors == result.failures == []
        assert_one_of_each(telemetry, 3)


def test_a_thousand_requests_in_each_of_eight_threads_leave_nothing_behind():
    """B7: each sees its own trace, and its thread none afterwards."""
    requests, mixed = 1000, []

    def ask(worker: int, application: WSGIHandler) -> None:
        for number in range(requests):
            asked = f"{worker + 1:016x}{number + 1:016x}"
            environ = {
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/threads",
                "QUERY_STRING": f"asked={asked}",
                "SERVER_NAME": "testserver",
                "SERVER_PORT": "80",
                "HTTP_TRACEPARENT": f"00-{asked}-00000000000000ff-{number % 2:02x}",
                "wsgi.input": BytesIO(),
                "wsgi.url_scheme": "http",
            }
            response = application(environ, lambda *_: None)
            answer = b"".join(response).decode()
            response.close()
            if answer.count(asked) != 2 or trace.get_current_span().get_span_context().is_valid or CURRENT.get() is not None:
                mixed.append(answer)

    with override_settings(MIDDLEWARE=[]), capture({"export": {"queue_size": 20_000}, "logs": {"access": False}}) as telemetry:
        application = WSGIHandler()
        threads = [threading.Thread(target=ask, args=(worker, application)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert mixed == []
        assert telemetry.point("http.server.request.duration")["count"] == 8 * requests
        assert telemetry.point("http.server.active_requests")["value"] == 0
        assert len({span["trace_id"] for span in telemetry.spans}) == 8 * requests / 2
