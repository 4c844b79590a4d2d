"""Idempotency keys: done once, answered twice; and whatever breaks, never refused without need."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.core.cache import caches
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.views import APIView

from otelkit.patterns import idempotency
from otelkit.patterns.idempotency import HEADER, LARGEST_ANSWER, LONGEST_KEY, REPLAYED, idempotent
from otelkit.testing import capture
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.patterns.serving import serving, values

done: list[str] = []


def work(request: Any) -> HttpResponse:
    done.append(request.path)
    status = int(request.GET.get("status", "201"))
    answer = HttpResponse(f"order {len(done)} \xe9".encode("latin-1"), status=status, content_type="text/x-order")
    answer["Location"] = f"/orders/{len(done)}"
    answer.set_cookie("session", "hunter2")
    return answer


@idempotent()
def order(request: Any) -> HttpResponse:
    return work(request)


@idempotent()
async def async_order(request: Any) -> HttpResponse:
    return work(request)


@idempotent(required=True)
def must(request: Any) -> HttpResponse:
    return work(request)


@idempotent()
def boom(request: Any) -> HttpResponse:
    done.append("boom")
    raise RuntimeError


@idempotent()
def stream(request: Any) -> StreamingHttpResponse:
    done.append("stream")
    return StreamingHttpResponse(iter([b"a"]))


@idempotent()
def large(request: Any) -> HttpResponse:
    done.append("large")
    return HttpResponse(b"x" * (LARGEST_ANSWER + 1))


entered, release = threading.Event(), threading.Event()


@idempotent()
def slow(request: Any) -> HttpResponse:
    done.append("slow")
    entered.set()
    release.wait(30)
    return HttpResponse("slow")


@idempotent(cache="away")
def without(request: Any) -> HttpResponse:
    return work(request)


@method_decorator(idempotent(), name="dispatch")
class Orders(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Any) -> Response:
        done.append(request.data["sku"])
        if request.data["sku"] == "unknown":
            raise ValidationError({"sku": "unknown"})
        return Response({"number": len(done)}, status=201)


URLS = [
    path("order", order),
    path("async/order", async_order),
    path("must", must),
    path("boom", boom),
    path("stream", stream),
    path("large", large),
    path("slow", slow),
    path("without", without),
    path("rest", Orders.as_view()),
]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "idempotency"},
    "away": {"BACKEND": "tests.instrumentation.patterns.caches.Away"},
}


@pytest.fixture(autouse=True)
def _project():
    done.clear()
    with override_settings(CACHES=CACHES), serving(URLS):
        caches["default"].clear()
        yield


def post(path: str, key: str | None = "k1", body: Any = b"{}", *, method: str = "POST", **headers: str) -> Any:
    client = Client(raise_request_exception=False)
    given = headers if key is None else {HEADER: key, **headers}
    return client.generic(method, path, body, content_type="application/json", headers=given)


def post_async(path: str, key: str | None = "k1", body: Any = b"{}") -> Any:
    async def ask() -> Any:
        headers = {} if key is None else {HEADER: key}
        return await AsyncClient().post(path, body, content_type="application/json", headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize(("ask", "at"), [(post, "/order"), (post_async, "/async/order"), (post_async, "/order")])
def test_a_request_that_comes_twice_is_done_once_and_answered_alike(ask, at):
    """A25: while the kit is off."""
    first, second, third = ask(at), ask(at), ask(at, '"k1"')
    assert len(done) == 1
    for again in (second, third):
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert (again["Content-Type"], again["Location"], again[REPLAYED]) == ("text/x-order", "/orders/1", "true")
        assert "hunter2" not in str(again.cookies), "a cookie belongs to who was answered first"
    assert REPLAYED not in first


def test_without_a_key_or_by_another_method_nothing_is_changed():
    for _ in range(2):
        assert post("/order", None).status_code == 201
        assert post("/order", method="PUT").status_code == 201
    assert len(done) == 4


def test_a_key_with_another_request_is_a_conflict():
    assert post("/order").status_code == 201
    for other in (post("/order", body=b'{"sku": 2}'), post("/order?b=2")):
        assert other.status_code == 422
        assert other["Content-Type"] == "application/problem+json"
    assert post("/order", method="PATCH").status_code == 201, "each method has keys of its own"
    assert len(done) == 2


def test_a_key_belongs_to_who_sent_it():
    """C1: nobody is given somebody else's answer."""
    post("/order", Authorization="Bearer alice")
    assert REPLAYED not in post("/order", Authorization="Bearer bob")
    assert REPLAYED in post("/order", Authorization="Bearer alice")
    assert "alice" not in str(caches["default"]._cache)


@pytest.mark.parametrize("key", ["", '""', "x" * (LONGEST_KEY + 1), "\x00", "a\tb", "é", "\u2028"])
def test_what_is_no_key_is_refused_with_a_sentence(key):
    answer = post("/must", key)
    assert answer.status_code == 400
    assert HEADER in answer.json()["title"]
    assert done == []
    assert post("/must", None).status_code == 400
    assert post("/must").status_code == 201


@pytest.mark.parametrize("status", [500, 503, 401, 403, 409, 429])
def test_an_answer_that_may_be_another_one_next_time_is_not_kept(status):
    for _ in range(2):
        assert REPLAYED not in post(f"/order?status={status}")
    assert len(done) == 2


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 422])
def test_any_other_answer_is_kept(status):
    assert [REPLAYED in post(f"/order?status={status}") for _ in range(2)] == [False, True]


@pytest.mark.parametrize("at", ["/boom", "/stream", "/large"])
def test_what_cannot_be_kept_is_done_again(at):
    assert [REPLAYED in post(at) for _ in range(2)] == [False, False]
    assert len(done) == 2


def test_who_comes_while_the_first_is_being_done_is_told_to_come_again():
    entered.clear()
    release.clear()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(post("/slow")))
    with capture() as telemetry:
        thread.start()
        assert entered.wait(30)
        meanwhile = post("/slow")
        assert (meanwhile.status_code, meanwhile["Retry-After"]) == (409, "1")
        release.set()
        thread.join(30)
        assert post("/slow").content == b"slow"
        assert done == ["slow"]
        assert values(telemetry, "idempotency.requests") == {("new",): 1, ("replay",): 1, ("conflict",): 0, ("in_progress",): 1}


def test_a_cache_that_is_away_refuses_nobody(caplog):
    assert [post("/without").status_code for _ in range(2)] == [201, 201]
    assert "An idempotency key could not be looked up (ConnectionError)" in caplog.text
    assert "hunter2" not in caplog.text


def test_django_rest_framework_is_answered_from_what_it_rendered():
    first, second = (post("/rest", body=b'{"sku": "tea"}') for _ in range(2))
    assert (second.status_code, second.json(), second[REPLAYED]) == (201, first.json(), "true")
    wrong = [post("/rest", "k2", b'{"sku": "unknown"}') for _ in range(2)]
    assert [answer.status_code for answer in wrong] == [400, 400]
    assert done == ["tea", "unknown"]


def test_an_upload_that_a_middleware_has_read_is_known_by_its_fields():
    from django.core.files.uploadedfile import SimpleUploadedFile

    def upload(text: bytes, **fields: str) -> Any:
        client = Client(enforce_csrf_checks=False)
        return client.post("/order", {"file": SimpleUploadedFile("a.txt", text), **fields}, headers={HEADER: "up"})

    with serving(URLS, middleware=["tests.instrumentation.patterns.test_idempotency.reads_the_form"]):
        assert upload(b"abc", note="x").status_code == 201
        assert REPLAYED in upload(b"abc", note="x")
        assert upload(b"abcd", note="x").status_code == 422
        assert upload(b"abc", note="y").status_code == 422


def reads_the_form(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.POST.get("note")
        return get_response(request)

    return middleware


def test_each_outcome_is_counted_and_said_on_the_span():
    with capture() as telemetry:
        post("/order")
        post("/order")
        post("/order", body=b"other")
        assert values(telemetry, "idempotency.requests") == {("new",): 1, ("replay",): 1, ("conflict",): 1, ("in_progress",): 0}
        assert [event["name"] for span in telemetry.spans for event in span["events"]] == ["idempotency"] * 3


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_reported_can_raise(name):
    """B5."""
    idempotency.counted(HOSTILE[name])
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("hostile"):
        idempotency.counted(HOSTILE[name])
