"""Outbound calls join the trace, over httpx (sync and async) and requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest
import requests
from django.test import Client

from otelkit.testing import Telemetry, capture
from tests.receivers import Receiver, receiver, refused_endpoint


def over_httpx(url: str) -> int:
    return httpx.post(url, timeout=2).status_code


def over_async_httpx(url: str) -> int:
    async def post() -> int:
        async with httpx.AsyncClient(timeout=2) as client:
            return (await client.post(url)).status_code

    return asyncio.run(post())


def over_requests(url: str) -> int:
    return requests.post(url, timeout=2).status_code


CLIENTS: list[Callable[[str], int]] = [over_httpx, over_async_httpx, over_requests]


@pytest.fixture
def peer() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def telemetry(peer) -> Iterator[Telemetry]:
    with capture({"clients": {"peers": {peer.endpoint.removeprefix("http://"): "inventory"}}}) as telemetry:
        yield telemetry


@pytest.mark.parametrize("call", CLIENTS)
def test_a_call_is_a_client_span_whose_context_travels(telemetry, peer, call):
    with telemetry.runtime.tracer.start_as_current_span("work"):
        assert call(f"{peer.endpoint}/things?token=s3cr3t") == 200
    work, span = telemetry.span("work"), telemetry.span("POST")
    assert (span["kind"], span["parent_span_id"], span["status"]) == ("CLIENT", work["span_id"], "UNSET")
    ((_, headers, _),) = peer.requests
    sent = {name.lower(): value for name, value in headers.items()}
    version, trace_id, span_id, flags = sent["traceparent"].split("-")
    assert (version, trace_id, span_id) == ("00", span["trace_id"], span["span_id"])
    assert int(flags, 16) & 1  # sampled; the SDK may also say that the id is random (W3C trace context, level 2)
    port = int(peer.endpoint.rpartition(":")[2])
    assert span["attributes"] == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.full": f"{peer.endpoint}/things?token=REDACTED",
        "service.peer.name": "inventory",
        "http.response.status_code": 200,
    }
    point = telemetry.point("http.client.request.duration")
    assert point["attributes"]["service.peer.name"] == "inventory"
    assert point["exemplars"][0]["span_id"] == span["span_id"]


@pytest.mark.parametrize("call", CLIENTS)
def test_a_failing_answer_is_an_error_of_the_call(telemetry, peer, call):
    peer.answer = lambda _: (503, {}, b"")
    assert call(peer.endpoint) == 503
    span = telemetry.span("POST")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "503")


def test_an_unknown_method_is_no_name_and_no_label(telemetry, peer):
    httpx.request("WEIRD", peer.endpoint, timeout=2)  # the receiver may refuse it
    assert telemetry.span("HTTP")["attributes"]["http.request.method"] == "_OTHER"
    assert telemetry.point("http.client.request.duration")["attributes"]["http.request.method"] == "_OTHER"


@pytest.mark.parametrize(
    ("call", "error"), list(zip(CLIENTS, [httpx.ConnectError, httpx.ConnectError, requests.ConnectionError], strict=True))
)
def test_the_librarys_own_error_goes_through_unchanged(telemetry, call, error):
    with pytest.raises(error):
        call(refused_endpoint())
    span = telemetry.span("POST")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", error.__qualname__)


@pytest.mark.parametrize("call", CLIENTS)
def test_a_failure_of_ours_does_not_reach_the_call(telemetry, peer, call, monkeypatch, caplog):
    """B6."""
    monkeypatch.setattr("otelkit.outbound.redact_url", lambda url: 1 / 0)
    assert call(peer.endpoint) == 200
    assert "the call itself is not affected" in caplog.text


@pytest.mark.parametrize("call", CLIENTS)
def test_a_failure_of_ours_after_the_call_does_not_reach_it_either(telemetry, peer, call, monkeypatch, caplog):
    """B6: a span processor may be the project's own."""
    kind = type(telemetry.runtime.tracer.start_span("probe"))
    with monkeypatch.context() as patch:
        patch.setattr(kind, "end", lambda self: 1 / 0)
        assert call(peer.endpoint) == 200
    assert "its answer is not affected" in caplog.text


def test_a_view_that_calls_is_in_the_middle_of_the_trace(telemetry, peer):
    Client().get("/call", {"url": peer.endpoint})  # the peer knows no GET, so it answers 501
    server, client = telemetry.span("GET /call"), telemetry.span("GET")
    assert client["parent_span_id"] == server["span_id"]


def test_a_library_that_is_disabled_is_left_alone(peer):
    with capture({"libraries": {"disabled": ["httpx"]}}) as telemetry:
        over_httpx(peer.endpoint)
        assert telemetry.spans == []
        over_requests(peer.endpoint)
        assert len(telemetry.spans) == 1


@pytest.mark.parametrize("call", CLIENTS)
def test_nothing_is_followed_after_stop(peer, call):
    """A26."""
    with capture():
        pass
    call(peer.endpoint)
    ((_, headers, _),) = peer.requests
    assert "traceparent" not in {name.lower() for name in headers}
