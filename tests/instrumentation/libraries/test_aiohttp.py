"""aiohttp's client: what is special to it. What holds for every client of HTTP is in test_http_clients.py."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from otelkit.libraries.aiohttp import LIBRARY
from otelkit.testing import capture
from tests.receivers import receiver

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install aiohttp")


def within_a_session(work: Callable[[Any], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await work(session)

    return asyncio.run(run())


def test_an_address_below_the_sessions_own():
    async def ask(session: Any) -> None:
        async with session.post("things?token=s3cr3t", params={"page": "2"}) as answer:
            assert answer.status == 200

    with receiver() as peer, capture() as telemetry:
        within_a_session(ask, base_url=f"{peer.endpoint}/v1/")
        span = telemetry.span("POST")
        assert span["attributes"]["url.full"] == f"{peer.endpoint}/v1/things?token=REDACTED"
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


def test_raise_for_status_does_not_hide_the_answer():
    async def ask(session: Any) -> None:
        with pytest.raises(aiohttp.ClientResponseError):
            await session.post(peer.endpoint)

    with receiver(404) as peer, capture() as telemetry:
        within_a_session(ask, raise_for_status=True)
        attributes = telemetry.span("POST")["attributes"]
        assert (attributes["http.response.status_code"], attributes["error.type"]) == (404, "404")


def test_the_callers_headers_stay_the_callers_and_are_sent():
    mine = {"X-Mine": "1"}

    async def ask(session: Any) -> None:
        await session.post(peer.endpoint, headers=mine)
        await session.post(peer.endpoint, headers=[("X-Two", "a")])

    with receiver() as peer, capture():
        within_a_session(ask)
        (_, first, _), (_, second, _) = peer.requests
    assert mine == {"X-Mine": "1"}
    assert (first["X-Mine"], second["X-Two"]) == ("1", "a")
    assert "traceparent" in first


def test_what_is_wrong_with_a_call_is_said_by_aiohttp():
    """B5: the same error with the kit and without."""
    wrong: list[tuple[Any, Any]] = [("http://127.0.0.1:1", 5), (7, None), ("no address", None), ("http://[", None), (None, {"a": 1})]

    async def complaints(session: Any) -> list[str]:
        found = []
        for address, headers in wrong:
            try:
                await session.post(address, headers=headers)
            except Exception as error:  # noqa: BLE001  (whichever it is)
                found.append(repr(error))
        return found

    without = within_a_session(complaints)
    assert len(without) == len(wrong)
    with capture():
        assert within_a_session(complaints) == without


def test_a_cancelled_call_ends_its_span():
    """A7."""

    async def ask(session: Any) -> None:
        task = asyncio.ensure_future(session.post(peer.endpoint))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def run() -> None:
        nonlocal arrived
        arrived = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(_: int) -> tuple[int, dict[str, str], bytes]:
            loop.call_soon_threadsafe(arrived.set)
            released.wait(10)
            return 200, {}, b""

        peer.answer = hold
        async with aiohttp.ClientSession() as session:
            await ask(session)

    import threading

    arrived: asyncio.Event
    released = threading.Event()
    with receiver() as peer, capture() as telemetry:
        try:
            asyncio.run(run())
        finally:
            released.set()
        assert telemetry.span("POST")["attributes"]["error.type"] == "CancelledError"


def test_stop_gives_the_session_its_own_method_back():
    """A26, also for a session that is older than the kit."""
    own = aiohttp.ClientSession._request
    with capture():
        assert aiohttp.ClientSession._request is not own
    assert aiohttp.ClientSession._request is own
