"""What one request becomes: span, duration, access line, in sync and in async."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from django.test import AsyncClient, Client, override_settings

from otelkit.testing import Telemetry, capture

OTLP_LOGS = {"logs": {"exporters": ["otlp"]}}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture(OTLP_LOGS) as telemetry:
        yield telemetry


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def get_async(path: str, **headers: str):
    """The answer of an async project, from its own event loop."""

    async def ask():
        return await AsyncClient(raise_request_exception=False).get(path, headers=headers)

    return asyncio.run(ask())


def test_a_request_gives_one_span_one_duration_and_one_line(telemetry, client):
    """A3 for the test client."""
    assert client.get("/items/7?colour=red").content == b"ok"

    span = telemetry.span("GET /items/{pk}")
    assert span["kind"] == "SERVER"
    assert span["status"] == "UNSET"
    assert span["attributes"]["http.route"] == "/items/{pk}"
    assert span["attributes"]["http.response.status_code"] == 200
    assert span["attributes"]["url.path"] == "/items/7"
    assert span["attributes"]["server.address"] == "testserver"
    assert span["attributes"]["code.function.name"] == "tests.project.views.ok"
    assert "url.query" not in span["attributes"]
    point = telemetry.point("http.server.request.duration", http_route="/items/{pk}")
    assert point["count"] == 1
    assert point["attributes"] == {
        "http.request.method": "GET",
        "http.route": "/items/{pk}",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    assert (line["trace_id"], line["span_id"]) == (span["trace_id"], span["span_id"])


def test_the_duration_has_the_span_as_its_exemplar(telemetry, client):
    client.get("/items/7")
    span = telemetry.span("GET /items/{pk}")
    (exemplar,) = telemetry.point("http.server.request.duration")["exemplars"]
    assert (exemplar["trace_id"], exemplar["span_id"]) == (span["trace_id"], span["span_id"])


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/items/7", "/items/{pk}"),
        ("/items/7/parts/bolt/", "/items/{pk}/parts/{part}/"),
        ("/archive/2026/", "/archive/{year}/{}"),
        ("/legacy/12.html", "/legacy/{}.html"),
        ("/api/things/9/", "/api/things/{pk}/"),
        ("/en/pages/3", "/pages/{pk}"),
        ("/de/pages/3", "/pages/{pk}"),
    ],
)
def test_routes_are_normalised(telemetry, client, path, route):
    """A10: path(), re_path, nested includes, i18n_patterns; `/` for the root."""
    assert client.get(path).status_code == 200
    assert telemetry.span(f"GET {route}")["attributes"]["http.route"] == route
    assert telemetry.point("http.server.request.duration")["attributes"]["http.route"] == route


def test_a_mount_point_is_no_part_of_the_route(telemetry, client):
    """A10: SCRIPT_NAME."""
    client.get("/items/7", SCRIPT_NAME="/shop")
    assert telemetry.span("GET /items/{pk}")["attributes"]["url.path"] == "/shop/items/7"


def test_a_urlconf_of_the_request_counts(telemetry):
    """A10: per-request urlconf."""
    with override_settings(MIDDLEWARE=["otelkit.middleware.ObservabilityMiddleware", "tests.instrumentation.tenants.TenantMiddleware"]):
        assert Client().get("/tenant/5").status_code == 200
    assert telemetry.span("GET /tenant/{number}")


def test_unmatched_paths_share_one_series(telemetry, client):
    """A10, A11: what strangers ask for is no label."""
    for number in range(50):
        assert client.get(f"/scan/{number}.php").status_code == 404
    assert telemetry.point("http.server.request.duration")["attributes"]["http.route"] == "unmatched"
    assert {span["name"] for span in telemetry.spans} == {"GET"}
    assert not any("http.route" in span["attributes"] for span in telemetry.spans)


def test_unknown_methods_share_one_label(telemetry, client):
    """A11."""
    for number in range(20):
        client.generic(f"WEIRD{number}", "/items/7")
    assert telemetry.point("http.server.request.duration")["attributes"]["http.request.method"] == "_OTHER"
    assert telemetry.spans[0]["attributes"]["http.request.method_original"] == "WEIRD0"
    assert {span["name"] for span in telemetry.spans} == {"HTTP /items/{pk}"}  # semantic conventions, HTTP spans, "Name"


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/forbidden", 403), ("/suspicious", 400), ("/nowhere", 404)])
def test_what_the_caller_did_wrong_is_no_error_of_ours(telemetry, client, path, status):
    """A8."""
    assert client.get(path).status_code == status
    (span,) = telemetry.spans
    assert span["status"] == "UNSET"
    assert span["events"] == []
    assert span["attributes"]["http.response.status_code"] == status
    point = telemetry.point("http.server.request.duration", http_response_status_code=status)
    assert "error.type" not in point["attributes"]
    assert "errors.captured" not in telemetry.metrics


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_unhandled_exception_is_an_error_counted_once(telemetry, client, asynchronous):
    """A8: error.type is the class, every histogram counts the request once."""
    path = "/async/boom" if asynchronous else "/boom"
    answer = get_async(path) if asynchronous else client.get(path)
    assert answer.status_code == 500
    span = telemetry.span(f"GET {path}")
    assert span["status"] == "ERROR"
    assert span["attributes"]["error.type"] == "tests.project.views.Boom"
    assert [event["name"] for event in span["events"]] == ["exception"]
    point = telemetry.point("http.server.request.duration")
    assert (point["count"], point["attributes"]["error.type"]) == (1, "tests.project.views.Boom")
    assert telemetry.point("errors.captured", exception_type="tests.project.views.Boom", http_route=path)["value"] == 1


def test_a_returned_5xx_is_an_error_by_its_status(telemetry, client):
    assert client.get("/fails").status_code == 503
    span = telemetry.span("GET /fails")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "503")


def test_what_passes_through_leaves_nothing_behind(telemetry, client):
    """A7: SystemExit goes on unchanged, the span ends and nobody is active any more."""
    with pytest.raises(SystemExit) as raised:
        client.get("/exits")
    assert raised.value.code == 3
    assert telemetry.span("GET /exits")["attributes"]["error.type"] == "SystemExit"
    assert telemetry.point("http.server.active_requests")["value"] == 0
    from opentelemetry import trace

    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("path", ["/missing", "/fails", "/boom"])
def test_djangos_own_line_about_a_failure_belongs_to_the_request(telemetry, client, path):
    """Every log line of a request is joined to its trace, also the one that Django writes after every middleware has returned."""
    client.get(path)
    (span,) = telemetry.spans
    lines = [line for line in telemetry.logs if line["logger"] == "django.request"]
    assert [line["trace_id"] for line in lines] == [span["trace_id"]]
    assert [line["span_id"] for line in lines] == [span["span_id"]]


def test_a_disallowed_host_is_counted(telemetry, client):
    """A9."""
    assert client.get("/items/7", HTTP_HOST="evil.example").status_code == 400
    assert telemetry.point("http.server.request.duration", http_response_status_code=400)["count"] == 1


@pytest.mark.parametrize("path", ["/livez", "/static/app.css", "/metrics"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_excluded_paths_have_no_telemetry_of_any_kind(telemetry, client, path, asynchronous):
    """A13: no span, no sample, no line, and no orphan child spans."""
    answer = get_async(path) if asynchronous else client.get(path)
    assert answer.status_code == (404 if path == "/metrics" else 200)  # nothing is served there unless the settings ask for it
    assert telemetry.spans == []
    assert [line for line in telemetry.logs if line["event_name"] == "http.request"] == []
    assert "http.server.request.duration" not in telemetry.metrics
    assert "db.client.operation.duration" not in telemetry.metrics


def test_an_excluded_path_excludes_nothing_that_only_begins_like_it(telemetry, client):
    client.get("/livezoo")
    assert len(telemetry.spans) == 1


def test_async_views_stay_on_the_event_loop(telemetry):
    """A5: no hop to a thread is added."""
    with override_settings(MIDDLEWARE=["otelkit.middleware.ObservabilityMiddleware"]):

        async def ask():
            answer = await AsyncClient().get("/async/items/7")
            return json.loads(answer.content)["thread"], threading.get_ident()

        view, loop = asyncio.run(ask())
    assert view == loop
    assert telemetry.span("GET /async/items/{pk}")["attributes"]["http.response.status_code"] == 200


def test_sync_middleware_of_the_project_is_still_answered_under_async(telemetry):
    assert get_async("/async/items/7").status_code == 200
    assert telemetry.span("GET /async/items/{pk}")


def test_a_streamed_body_belongs_to_the_request(telemetry, client):
    """A6: the span lasts as long as the body, and spans made inside the generator are children."""
    assert b"".join(client.get("/stream").streaming_content) == b"xxx"
    server = telemetry.span("GET /stream")
    assert server["duration_s"] >= 0.3
    assert telemetry.point("http.server.request.duration")["sum"] >= 0.3
    pieces = [span for span in telemetry.spans if span["name"].startswith("piece")]
    assert {span["parent_span_id"] for span in pieces} == {server["span_id"]}
    assert len(pieces) == 3


def test_an_async_streamed_body_belongs_to_the_request(telemetry):
    """A6, async."""

    async def read():
        answer = await AsyncClient().get("/async/stream")
        return b"".join([piece async for piece in answer.streaming_content])

    assert asyncio.run(read()) == b"xxx"
    server = telemetry.span("GET /async/stream")
    assert server["duration_s"] >= 0.3
    assert {span["parent_span_id"] for span in telemetry.spans if span["name"].startswith("piece")} == {server["span_id"]}


def test_a_client_that_leaves_in_mid_stream_ends_the_request(telemetry, client):
    """A7."""
    answer = client.get("/stream")
    next(iter(answer.streaming_content))
    answer.close()
    assert telemetry.span("GET /stream")["status"] == "UNSET"
    assert telemetry.point("http.server.active_requests")["value"] == 0


def test_an_incoming_trace_is_joined(telemetry, client):
    client.get("/items/7", headers={"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"})
    span = telemetry.span("GET /items/{pk}")
    assert (span["trace_id"], span["parent_span_id"]) == ("0123456789abcdef0123456789abcdef", "0123456789abcdef")


def test_a_caller_that_decided_against_sampling_is_followed(telemetry, client):
    """A14, and A2: the line still names the trace."""
    client.get("/items/7", headers={"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"})
    assert telemetry.spans == []
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    assert line["trace_id"] == "0123456789abcdef0123456789abcdef"
    assert telemetry.point("http.server.request.duration")["exemplars"] == []


@pytest.mark.parametrize("header", ["nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "00-" + "x" * 8192, "é" * 100, ""])
def test_a_broken_trace_header_begins_a_new_trace(telemetry, client, header):
    """A14."""
    assert client.get("/items/7", headers={"traceparent": header}).status_code == 200
    assert telemetry.span("GET /items/{pk}")["parent_span_id"] is None


def test_a_token_in_the_path_is_not_recorded(telemetry, client):
    """C1: path."""
    client.get("/reset/s3cr3t-token/")
    span = telemetry.span("GET /reset/{token}/")
    assert span["attributes"]["url.path"] == "/reset/[REDACTED]/"
    assert "s3cr3t" not in str(telemetry.logs)


def test_traces_never_cross_between_threads(telemetry):
    """B7: 8 threads, each request sees its own trace."""
    mixed = []

    def ask(worker: int) -> None:
        client = Client()
        for number in range(50):
            trace_id = f"{worker + 1:016x}{number + 1:016x}"
            headers = {"traceparent": f"00-{trace_id}-00000000000000ff-01"}
            answer = client.get(f"/threads?asked={trace_id}", headers=headers).json()
            if answer["trace_id"] != answer["asked"]:
                mixed.append(answer)

    workers = [threading.Thread(target=ask, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert mixed == []
    assert len(telemetry.spans) == 400
    assert telemetry.point("http.server.request.duration")["count"] == 400


@pytest.mark.parametrize("path", ["/", "/items/7", "/missing", "/forbidden", "/boom", "/fails", "/nowhere", "/de/pages/1", "/stream"])
def test_answers_are_the_same_with_the_kit_on_and_off(client, path):
    """B10."""

    def answer() -> tuple[int, dict[str, str], bytes]:
        response = client.get(path)
        return response.status_code, dict(response.headers), response.getvalue()

    off = answer()
    with capture():
        on = Client(raise_request_exception=False).get(path)
        assert (on.status_code, dict(on.headers), on.getvalue()) == off


@pytest.mark.parametrize(
    ("said", "version"),
    [("HTTP/1.1", "1.1"), ("HTTP/1.0", "1.0"), ("HTTP/2", "2"), ("HTTP/2.0", "2"), ("HTTP/3.0", "3"), ("", "1.1")],
)
def test_the_version_of_http_is_what_the_wsgi_server_says(said: str, version: str):
    """gunicorn and uWSGI behind a proxy of HTTP/2, mod_wsgi: SERVER_PROTOCOL."""
    with capture() as telemetry:
        Client().get("/items/1", SERVER_PROTOCOL=said)
        assert telemetry.span("GET /items/{pk}")["attributes"]["network.protocol.version"] == version


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
def test_the_version_of_http_is_what_the_asgi_server_says(version: str):
    """hypercorn and granian speak HTTP/2 themselves; the scope says so, and Django's META does not."""

    class Speaking(AsyncClient):
        def _base_scope(self, **request: object) -> dict[str, object]:
            return {**super()._base_scope(**request), "http_version": version}

    with capture() as telemetry:
        asyncio.run(Speaking().get("/async/items/1"))
        assert telemetry.span("GET /async/items/{pk}")["attributes"]["network.protocol.version"] == version
