"""httpx: what is special to it. What holds for every client of HTTP is in test_http_clients.py."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import httpx

from otelkit.libraries.httpx import LIBRARY
from otelkit.testing import capture
from tests.receivers import receiver


class Challenged(httpx.Auth):
    """Sends again with a token when it was refused."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = "Bearer token"
            yield request


def test_authentication_is_a_resend():
    with receiver() as peer, capture() as telemetry:
        peer.answer = lambda number: (401 if number % 2 else 200, {}, b"")
        with httpx.Client(auth=Challenged()) as client:
            assert client.post(peer.endpoint).status_code == 200

        async def ask() -> int:
            async with httpx.AsyncClient(auth=Challenged()) as client:
                return (await client.post(peer.endpoint)).status_code

        assert asyncio.run(ask()) == 200
        spans = [span["attributes"] for span in telemetry.spans]
        assert [(span["http.response.status_code"], span.get("http.request.resend_count")) for span in spans] == [
            (401, None),
            (200, 1),
            (401, None),
            (200, 1),
        ]
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


def test_a_transport_that_sends_nothing_is_no_call():
    with capture() as telemetry, httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(204))) as client:
        assert client.get("http://nowhere.test/").status_code == 204
        assert telemetry.spans == []
