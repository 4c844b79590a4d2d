"""Outbound calls join the trace, whichever client makes them: what holds for each of them. What is special to one is in its own file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.test import Client

from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH
from tests.instrumentation.libraries.clients import CLIENTS, over_httpx, over_requests, over_urllib3
from tests.receivers import Receiver, receiver, refused_endpoint


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


@pytest.mark.parametrize(("call", "error"), CLIENTS.items())
def test_the_librarys_own_error_goes_through_unchanged(telemetry, call, error):
    with pytest.raises(error):
        call(refused_endpoint())
    span = telemetry.span("POST")
    assert (span["status"], span["attributes"]["error.type"]) == (
        "ERROR",
        "NewConnectionError" if call is over_urllib3 else error.__qualname__,
    )


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


@pytest.mark.parametrize("call", CLIENTS)
def test_a_redirect_is_counted(telemetry, peer, call):
    """Each exchange has its span, where the client shows it; the last one says how often it was sent before."""
    peer.answer = lambda number: (307, {"Location": f"{peer.endpoint}/next"}, b"") if number == 1 else (200, {}, b"")
    assert call(f"{peer.endpoint}/first") == 200
    spans = [span["attributes"] for span in telemetry.spans]
    assert [span.get("http.request.resend_count") for span in spans] == ([1] if len(spans) == 1 else [None, 1])
    assert spans[-1]["http.response.status_code"] == 200


@pytest.mark.parametrize("call", CLIENTS)
def test_the_answer_may_name_the_service(peer, call):
    """Where the settings do not; the name counts for a later failure of the same address, too."""
    peer.answer = lambda number: (200 if number == 1 else 500, {"x-service-name": "stock"} if number == 1 else {}, b"")
    with capture() as telemetry:
        call(peer.endpoint)
        call(peer.endpoint)
        assert [span["attributes"]["service.peer.name"] for span in telemetry.spans] == ["stock", "stock"]
        assert {point["attributes"]["service.peer.name"] for point in telemetry.metrics["http.client.request.duration"]} == {"stock"}


@pytest.mark.parametrize(
    ("said", "settings"),
    [("a b", {}), ("x" * 64, {}), ("-", {}), ("sto\u00e9", {}), ("stock", {"peer_header": ""}), ("stock", {"peer_header": "X-Other"})],
)
def test_a_name_that_is_none_is_not_believed(peer, said, settings):
    peer.answer = lambda _: (200, {"X-Service-Name": said}, b"")
    with capture({"clients": settings}) as telemetry:
        over_requests(peer.endpoint)
        assert "service.peer.name" not in telemetry.span("POST")["attributes"]


def test_strangers_cannot_name_without_end(peer):
    """A11: each name is a series."""
    peer.answer = lambda number: (200, {"X-Service-Name": f"stranger-{number}"}, b"")
    with capture() as telemetry:
        with httpx.Client() as client:
            for _ in range(120):
                client.post(peer.endpoint)
        assert len(telemetry.metrics["http.client.request.duration"]) <= 101


def test_the_settings_win_over_the_answer(telemetry, peer):
    peer.answer = lambda _: (200, {"X-Service-Name": "impostor"}, b"")
    over_httpx(peer.endpoint)
    assert telemetry.span("POST")["attributes"]["service.peer.name"] == "inventory"


@pytest.mark.parametrize("ask", BOTH)
def test_a_service_names_itself_where_it_is_told_to(ask):
    """B10: not by default."""
    with capture({"service": {"name": "orders"}}):
        assert "X-Service-Name" not in ask("/items/7").headers
    with capture({"service": {"name": "orders"}, "requests": {"response_headers": ["service-name"]}}):
        assert ask("/items/7").headers["X-Service-Name"] == "orders"


def test_a_task_that_began_within_a_call_has_calls_of_its_own(telemetry, peer):
    """B7: it sees the context of that call for as long as it lives."""

    async def ask() -> None:
        released = asyncio.Event()

        async def later() -> int:
            await released.wait()
            return (await client.post(peer.endpoint)).status_code

        async def begin(_: httpx.Request) -> None:
            if not tasks:
                tasks.append(asyncio.ensure_future(later()))

        tasks: list[asyncio.Future[int]] = []
        async with httpx.AsyncClient(event_hooks={"request": [begin]}) as client:
            await client.post(peer.endpoint)
            released.set()
            await tasks[0]
            assert await asyncio.to_thread(over_requests, peer.endpoint) == 200

    asyncio.run(ask())
    assert [span["attributes"].get("http.request.resend_count") for span in telemetry.spans] == [None, None, None]


@pytest.mark.parametrize("call", CLIENTS)
def test_threads_do_not_see_one_anothers_calls(peer, call):
    """B7: each call below the span of its own thread."""
    with capture({"clients": {"peers": {}}}) as telemetry:
        tracer = telemetry.runtime.tracer

        def work(number: int) -> None:
            with tracer.start_as_current_span(f"work {number}"):
                call(peer.endpoint)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(40)))
        parents = {span["span_id"]: span["trace_id"] for span in telemetry.spans if span["name"].startswith("work")}
        calls = [span for span in telemetry.spans if span["name"] == "POST"]
        assert len(calls) == len(parents) == 40
        assert len({span["parent_span_id"] for span in calls}) == 40
        assert all(parents[span["parent_span_id"]] == span["trace_id"] for span in calls)
        assert all("http.request.resend_count" not in span["attributes"] for span in calls)
