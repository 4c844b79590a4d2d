"""Requests that go wrong where it is rare: in a handler500, in a client that leaves, in what the project plugged into OpenTelemetry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, Client, override_settings
from django.urls import path
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import NonRecordingSpan

from otelkit.middleware import ObservabilityMiddleware
from otelkit.testing import Telemetry, capture


def ok(request: HttpRequest, **kwargs: object) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok")


def boom(request: HttpRequest) -> NoReturn:
    raise ValueError("boom")


class Named:
    """What Django REST framework's @api_view makes of a function: a class that goes by the function's name."""


Named.__name__ = "list_orders"


def api_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


api_view.cls = Named  # type: ignore[attr-defined]

urlpatterns = [
    path("ok", ok),
    path("boom", boom),
    path("partial", partial(partial(ok, a=1), b=2)),
    path("api", api_view),
]


def handler500(request: HttpRequest) -> NoReturn:
    raise KeyError("a variable that 500.html needs")


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with override_settings(ROOT_URLCONF=__name__), capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        yield telemetry


def test_a_handler500_that_fails_is_still_a_500(telemetry):
    """Its exception passes every middleware; the client gets 500, so error ratio and objectives must see one."""
    with pytest.raises(KeyError):
        Client(raise_request_exception=False).get("/boom")
    assert telemetry.span("GET /boom")["attributes"]["http.response.status_code"] == 500
    assert telemetry.point("http.server.request.duration", http_response_status_code=500)["count"] == 1
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    assert (line["attributes"]["http.response.status_code"], line["severity"]) == (500, "ERROR")


def test_an_exception_that_django_lets_through_is_a_500(telemetry):
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True), pytest.raises(ValueError, match="boom"):
        Client().get("/boom")
    assert telemetry.point("http.server.request.duration", http_route="/boom")["attributes"]["http.response.status_code"] == 500


async def status_of(handler: ASGIHandler, scope: dict[str, Any]) -> int:
    asking = ApplicationCommunicator(handler, scope)
    await asking.send_input({"type": "http.request", "body": b""})
    status: int = (await asking.receive_output())["status"]
    await asking.receive_output()
    await asking.wait()
    return status


def test_what_the_projects_own_class_of_requests_refuses_is_seen(telemetry):
    """A9: it need not be made again, which would be refused again."""

    class Refusing(ASGIRequest):
        def __init__(self, scope: dict[str, Any], body_file: Any) -> None:
            super().__init__(scope, body_file)
            raise RequestDataTooBig

    class Handler(ASGIHandler):
        request_class = Refusing

    scope = {"type": "http", "method": "GET", "scheme": "https", "path": "/ok", "query_string": b"", "headers": []}
    assert asyncio.run(status_of(Handler(), scope)) == 413
    telemetry.assert_metric("http.server.request.duration", {"http.response.status_code": 413}, count=1)


@pytest.mark.parametrize(("path", "is_told"), [("/ok", True), ("/livez", False)])
def test_a_query_string_that_is_no_utf8_is_refused_and_seen(telemetry, path, is_told):
    """A9: Django's ASGI handler answers 400 before it has a request, so no middleware would see it."""
    scope = {"type": "http", "method": "GET", "scheme": "https", "path": path, "query_string": b"q=\xff&token=s3cr3t", "headers": []}

    assert asyncio.run(status_of(ASGIHandler(), scope)) == 400
    lines = [line["attributes"] for line in telemetry.logs if line["event_name"] == "http.request"]
    assert [line["http.response.status_code"] for line in lines] == ([400] if is_told else [])
    assert len(telemetry.spans) == len(telemetry.metrics.get("http.server.request.duration", ())) == len(lines)
    assert active(telemetry) == 0
    if is_told:
        telemetry.assert_no_secrets("s3cr3t")


def test_a_client_that_leaves_is_no_error_of_the_service(telemetry):
    """A7: the request ends and nobody is active any more; closing a browser tab must not spend the error budget."""

    async def leave() -> None:
        entered = asyncio.Event()

        async def waits(request: HttpRequest) -> HttpResponse:
            entered.set()
            await asyncio.sleep(60)
            return HttpResponse("never")

        answering = asyncio.ensure_future(ObservabilityMiddleware(waits)(AsyncRequestFactory().get("/ok")))
        await entered.wait()
        assert active(telemetry) == 1
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering

    asyncio.run(leave())
    (span,) = telemetry.spans
    assert (span["status"], span["events"]) == ("UNSET", [])
    assert "error.type" not in span["attributes"]
    assert "http.response.status_code" not in span["attributes"]
    assert active(telemetry) == 0
    assert "errors.captured" not in telemetry.metrics


def active(telemetry: Telemetry) -> float:
    """Requests under way, read without waiting for an export."""
    snapshots = {snapshot.metric.name: snapshot for snapshot in telemetry.runtime.aggregator.collect()}
    found = snapshots.get("http.server.active_requests")
    return sum(point.value for point in found.numbers) if found else 0


def test_a_client_that_leaves_an_event_stream_is_no_error_either(telemetry):
    """A7: every event stream ends this way."""

    async def endless():
        while True:
            yield b"event"
            await asyncio.sleep(60)

    async def leave() -> None:
        async def stream(request: HttpRequest) -> StreamingHttpResponse:
            return StreamingHttpResponse(endless())

        response = await ObservabilityMiddleware(stream)(AsyncRequestFactory().get("/ok"))
        pieces = aiter(response)
        assert await anext(pieces) == b"event"
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        response.close()

    asyncio.run(leave())
    (span,) = telemetry.spans
    assert span["status"] == "UNSET"
    assert active(telemetry) == 0


@pytest.mark.parametrize("where", ["start", "end"])
def test_what_the_project_plugged_into_opentelemetry_may_fail(telemetry, monkeypatch, caplog, where):
    """B6: a sampler, an id generator or a span processor that raises costs the telemetry, never the answer."""
    from otelkit.traces.provider import GuestFriendlyTracer
    from otelkit.traces.span import RecordingSpan

    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(*{"start": (GuestFriendlyTracer, "start_span"), "end": (RecordingSpan, "end")}[where], fail)
        answer = Client().get("/ok")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert f"otelkit could not {where} a request's span" in caplog.text
    assert telemetry.point("http.server.request.duration", http_route="/ok")["count"] == 1
    assert active(telemetry) == 0


class WithBrokenIds(NonRecordingSpan):
    """A span of somebody's whose ids cannot be read, or are none."""

    def __init__(self, give: Any) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)
        self._give = give

    def get_span_context(self) -> Any:
        return self._give()


@pytest.mark.parametrize("give", [lambda: 1 / 0, lambda: None, lambda: SimpleNamespace(is_valid=True)], ids=["raises", "none", "no ids"])
def test_a_span_around_the_request_that_cannot_be_read_is_left_alone(telemetry, give):
    """A4, B6: the request gets one of its own."""
    token = attach(trace.set_span_in_context(WithBrokenIds(give)))
    try:
        answer = Client().get("/ok")
    finally:
        detach(token)
    assert answer.content == b"ok"
    (span,) = [span for span in telemetry.spans if span["kind"] == "SERVER"]
    assert span["name"] == "GET /ok"
    assert active(telemetry) == 0


@pytest.mark.parametrize(("url", "name"), [("/partial", f"{__name__}.ok"), ("/api", f"{__name__}.list_orders"), ("/ok", f"{__name__}.ok")])
def test_a_view_has_the_name_its_author_gave_it(telemetry, url, name):
    """Behind functools.partial, and behind Django REST framework's @api_view, which calls every class WrappedAPIView."""
    Client().get(url)
    (span,) = [span for span in telemetry.spans if span["kind"] == "SERVER"]
    assert span["attributes"]["code.function.name"] == name
