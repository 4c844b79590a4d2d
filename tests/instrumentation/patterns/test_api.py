"""Versions with an end, clients that are few, and messages against the schema."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path

from otelkit.patterns import api
from otelkit.patterns.api.schema import Contract
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH, ask_sync
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.patterns.serving import serving, values

THIS = "tests.instrumentation.patterns.test_api"
PAST, FUTURE = datetime(2024, 1, 1, tzinfo=UTC), datetime(2124, 1, 1, tzinfo=UTC)


class Versions(api.VersionMiddleware):
    versions = (
        api.Version("v1", deprecated=PAST, sunset=FUTURE, link="https://shop.example/v2"),
        api.Version("v2"),
        api.Version("v3", deprecated=FUTURE),
    )
    clients = ("web", "app")


class NoVersions(api.VersionMiddleware):
    pass


def ok(request: Any, **_: Any) -> HttpResponse:
    return HttpResponse("ok")


async def async_ok(request: Any, **_: Any) -> HttpResponse:
    return HttpResponse("ok")


def linked(request: Any) -> HttpResponse:
    return HttpResponse("ok", headers={"Link": "</next>; rel=next", "Sunset": "never"})


URLS = [
    path("v1/items", ok),
    path("v2/items", async_ok),
    path("v3/items", ok),
    path("v1/linked", linked),
    path("plain", ok),
    path("api/<str:version>/", include([path("items", ok)])),
]


@pytest.mark.parametrize("ask", BOTH)
def test_answers_say_when_their_version_ends(ask):
    """RFC 9745, RFC 8594; A25: while the kit is off."""
    with serving(URLS, middleware=[f"{THIS}.Versions"]):
        first = ask("/v1/items")
        assert first["Deprecation"] == f"@{int(PAST.timestamp())}"
        assert first["Sunset"] == "Sat, 01 Jan 2124 00:00:00 GMT"
        assert first["Link"] == '<https://shop.example/v2>; rel="deprecation"; type="text/html"'
        for path_, there in (("/v2/items", False), ("/v3/items", True), ("/plain", False), ("/api/v1/items", True)):
            answer = ask(path_)
            assert ("Deprecation" in answer) is there, path_
            assert "Link" not in answer or path_ == "/api/v1/items"


def test_what_a_view_says_itself_stays():
    with serving(URLS, middleware=[f"{THIS}.Versions"]):
        answer = ask_sync("/v1/linked")
    assert answer["Sunset"] == "never"
    assert answer["Link"].startswith("</next>; rel=next, <https://shop.example/v2>")


@pytest.mark.parametrize("ask", BOTH)
def test_requests_are_counted_by_version_and_by_clients_that_are_known(ask):
    """A11: versions and names that somebody makes up add no series."""
    with capture() as telemetry, serving(URLS, middleware=[f"{THIS}.Versions"]):
        for client in ("web", "app", "web", "a stranger", "", "x" * 9000, "\xff"):
            ask("/v1/items", headers={"X-Client-Name": client})
        ask("/api/v2/items")
        for number in range(50):
            ask(f"/v{number + 10}/items")
            ask(f"/api/nonsense-{number}/items")
        ask("/plain")
        assert values(telemetry, "api.requests") == {
            ("v1", "true", "web"): 2,
            ("v1", "true", "app"): 1,
            ("v1", "true", "_OTHER"): 4,
            ("v2", "false", "_OTHER"): 1,
        }
        assert telemetry.point("api.sunset.time", api_version="v1")["value"] == FUTURE.timestamp()
        spans = [span for span in telemetry.spans if span["name"] == "GET /v1/items"]
        assert {span["attributes"]["api.version"] for span in spans} == {"v1"}


def test_without_versions_the_middleware_stands_aside():
    with serving(URLS, middleware=[f"{THIS}.NoVersions"]):
        assert ask_sync("/v1/items").status_code == 200


def test_a_version_that_cannot_be_is_refused_with_the_way_on():
    """A23."""
    with pytest.raises(ValueError, match=r'Version "v1": sunset needs a time zone, like datetime\(2026, 7, 1, tzinfo=UTC\)'):
        api.Version("v1", sunset=datetime(2026, 7, 1))
    with pytest.raises(ValueError, match="ends before it is deprecated"):
        api.Version("v1", deprecated=FUTURE, sunset=PAST)
    east = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert api.Version("v1", sunset=east).headers() == {"Sunset": "Thu, 01 Jan 2026 00:00:00 GMT"}


ORDER = {
    "type": "object",
    "required": ["sku"],
    "properties": {"sku": {"type": "string"}, "note": {"type": "string", "nullable": True}, "count": {"type": "integer"}},
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "shop", "version": "1"},
    "servers": [{"url": "https://shop.example/api"}],
    "paths": {
        "/orders/{id}": {
            "post": {
                "requestBody": {"$ref": "#/components/requestBodies/Order"},
                "responses": {
                    "201": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                    "4XX": {"description": ""},
                },
            }
        },
        "/broken": {
            "get": {
                "responses": {
                    "200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Gone"}}}}
                }
            }
        },
    },
    "components": {
        "schemas": {"Order": ORDER},
        "requestBodies": {"Order": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
    },
}


class Compared(api.ContractMiddleware):
    schema = DOCUMENT


class NeverCompared(api.ContractMiddleware):
    schema = DOCUMENT
    share = 0.0


class Misplaced(api.ContractMiddleware):
    schema = "/nowhere/openapi.json"


def echo(request: Any, pk: int) -> HttpResponse:
    """Answers what it is told to by the header."""
    told = json.loads(request.headers.get("X-Answer", "null"))
    request.read()
    if told is None:
        return JsonResponse({"sku": "tea"}, status=201)
    return HttpResponse(told["body"], status=told["status"], content_type="application/json")


async def async_echo(request: Any, pk: int) -> HttpResponse:
    return echo(request, pk)


CONTRACT_URLS = [path("api/orders/<int:pk>", echo), path("api/broken", lambda request: JsonResponse({})), path("other/<int:pk>", echo)]
ASYNC_URLS = [path("api/orders/<int:pk>", async_echo)]


def order(body: bytes, answer: tuple[int, str] | None = None, at: str = "/api/orders/7") -> Any:
    headers = {} if answer is None else {"X-Answer": json.dumps({"status": answer[0], "body": answer[1]})}
    return Client(raise_request_exception=False).generic("POST", at, body, content_type="application/json", headers=headers)


CASES = {
    "kept": (b'{"sku": "tea", "note": null}', None, {}),
    "a request without what it needs": (b'{"note": "hunter2"}', None, {("/api/orders/{pk}", "request"): 1}),
    "a request of another type": (b'{"sku": 7}', None, {("/api/orders/{pk}", "request"): 1}),
    "a request that is no JSON": (b"{hunter2", None, {("/api/orders/{pk}", "request"): 1}),
    "a request that is too deep": (b"[" * 100_000, None, {("/api/orders/{pk}", "request"): 1}),
    "an answer of another type": (b'{"sku": "tea"}', (201, '{"sku": 7}'), {("/api/orders/{pk}", "response"): 1}),
    "an answer that is no JSON": (b'{"sku": "tea"}', (201, "{"), {("/api/orders/{pk}", "response"): 1}),
    "a status that is not documented": (b'{"sku": "tea"}', (200, "{}"), {("/api/orders/{pk}", "response"): 1}),
    "a status of a documented class": (b'{"sku": "tea"}', (418, "{}"), {}),
}


@pytest.mark.parametrize("urls", [CONTRACT_URLS, ASYNC_URLS], ids=["sync view", "async view"])
@pytest.mark.parametrize("case", CASES)
def test_messages_are_compared_and_answers_stay_as_they_are(case, urls, caplog):
    """B10: neutral. C1: no value of a message is in anything that is said."""
    body, answer, found = CASES[case]
    with serving(urls):
        plain = order(body, answer)
    with capture() as telemetry, serving(urls, middleware=[f"{THIS}.Compared"]):
        compared = order(body, answer)
        assert values(telemetry, "api.contract.violations") == found
        events = [event for span in telemetry.spans for event in span["events"]]
        assert len(events) == len(found)
        assert "hunter2" not in str(events)
    assert (compared.status_code, compared.content, dict(compared.headers)) == (plain.status_code, plain.content, dict(plain.headers))
    said = [record.getMessage() for record in caplog.records if record.name == "otelkit.api"]
    assert len(said) == len(found)
    assert "hunter2" not in "".join(said)


def test_the_line_names_the_place_in_the_schema_once(caplog):
    with serving(CONTRACT_URLS, middleware=[f"{THIS}.Compared"]):
        client = Client()
        for _ in range(3):
            client.post("/api/orders/7", {"sku": 7}, content_type="application/json")
    said = [record.getMessage() for record in caplog.records if record.name == "otelkit.api"]
    assert said == [
        "A request of POST /api/orders/{pk} is not what the schema allows, at request/properties/sku/type. (said once)",
    ]


def test_what_the_document_does_not_name_is_not_compared():
    with capture() as telemetry, serving(CONTRACT_URLS, middleware=[f"{THIS}.Compared"]):
        order(b"{", at="/other/7")
        order(b"{", at="/nowhere")
        Client().get("/api/orders/7")
        assert values(telemetry, "api.contract.violations") == {}
    with capture() as telemetry, serving(CONTRACT_URLS, middleware=[f"{THIS}.NeverCompared"]):
        order(b"{")
        assert values(telemetry, "api.contract.violations") == {}


def test_a_document_that_refers_to_nothing_harms_nobody(caplog):
    """B6."""
    with serving(CONTRACT_URLS, middleware=[f"{THIS}.Compared"]):
        client = Client()
        assert [client.get("/api/broken").status_code for _ in range(2)] == [200, 200]
    assert len([record for record in caplog.records if "could not be compared with the schema" in record.getMessage()]) == 1


def test_a_document_that_is_not_there_is_one_error_and_the_service_starts(caplog):
    with serving(CONTRACT_URLS, middleware=[f"{THIS}.Misplaced"]):
        assert order(b'{"sku": "tea"}').status_code == 201
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR and record.name == "otelkit.api"]
    assert errors == ["The schema of Misplaced cannot be used; its traffic is not compared."]


@pytest.mark.parametrize("name", ["openapi.json", "openapi.yaml"])
def test_a_document_may_be_a_file(name, tmp_path: Path, monkeypatch):
    file = tmp_path / name
    file.write_text(json.dumps(DOCUMENT))  # which is YAML, too
    monkeypatch.setattr(Compared, "schema", file)
    with capture() as telemetry, serving(CONTRACT_URLS, middleware=[f"{THIS}.Compared"]):
        order(b"{}")
        assert values(telemetry, "api.contract.violations") == {("/api/orders/{pk}", "request"): 1}


def test_openapi_3_0_and_3_1_read_alike():
    for version, note in (("3.0.3", {"type": "string", "nullable": True}), ("3.1.0", {"type": ["string", "null"]})):
        schema = {"type": "object", "properties": {"note": note}}
        paths = {"/a": {"put": {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}}}
        takes = Contract({"openapi": version, "paths": paths}).operation("PUT", "/a").takes  # type: ignore[union-attr]
        assert takes is not None
        assert [takes({"note": value}) for value in ("x", None, 7)] == ["", "", "request/properties/note/type"]


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_reported_can_raise(name):
    """B5."""
    value = HOSTILE[name]

    def report() -> None:
        api.requested(value, deprecated=value, client=value)
        api.violated(value, value, value)

    report()
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("hostile"):
        report()
        assert telemetry.metrics["api.requests"]
