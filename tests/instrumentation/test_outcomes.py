"""What requests share is made once, and still each of them is told from the others; who is being answered is counted when somebody asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from otelkit.catalog.metrics import HTTP_SERVER_ACTIVE_REQUESTS
from otelkit.database import recorder
from otelkit.metrics.aggregator import Aggregator
from otelkit.middleware import ObservabilityMiddleware
from otelkit.request import active as active_module
from otelkit.request import outcomes as outcomes_module
from otelkit.request.active import ActiveRequests
from otelkit.request.engine import MEASURED_EVERY
from otelkit.testing import Telemetry, capture
from otelkit.traces.span import LONGEST_SMALL_TEXT

_inside: list[Any] = []


def answer(request: HttpRequest, status: int = 200) -> HttpResponse:
    for look in _inside:
        look()
    return HttpResponse("ok", status=status)


class Unhashable:
    """A view that is a callable object, and cannot be a key."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")


urlpatterns = [
    path("answer/<int:status>", answer),
    path("unhashable", Unhashable()),
    path(f"{'long/' * 60}end", answer),
]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with (
        override_settings(ROOT_URLCONF=__name__),
        capture({"logs": {"exporters": ["otlp"]}, "requests": {"body_sizes": True}}) as telemetry,
    ):
        yield telemetry


@pytest.fixture
def inside() -> Iterator[list[Any]]:
    """What the view calls."""
    yield _inside
    _inside.clear()


def active(telemetry: Telemetry) -> dict[Any, float]:
    points = telemetry.runtime.aggregator.read(HTTP_SERVER_ACTIVE_REQUESTS).numbers
    return {point.labels: point.value for point in points}


def test_requests_that_end_differently_are_told_apart(telemetry):
    """A8: one view, by method, status and scheme; each twice, the second from what the first left."""
    for _ in range(2):
        for method, status, secure in (("GET", 200, False), ("POST", 200, False), ("GET", 503, False), ("GET", 200, True)):
            Client().generic(method, f"/answer/{status}", secure=secure)
    found = [
        (span["name"], span["attributes"]["http.response.status_code"], span["attributes"]["url.scheme"], span["status"])
        for span in telemetry.spans
    ]
    once = [
        ("GET /answer/{status}", 200, "http", "UNSET"),
        ("POST /answer/{status}", 200, "http", "UNSET"),
        ("GET /answer/{status}", 503, "http", "ERROR"),
        ("GET /answer/{status}", 200, "https", "UNSET"),
    ]
    assert found == once * 2
    assert [span["attributes"].get("error.type") for span in telemetry.spans] == [None, None, "503", None] * 2
    assert telemetry.point("http.server.request.duration", http_response_status_code=503)["count"] == 2


def test_what_one_request_adds_is_not_on_the_next(telemetry):
    with_agent = {"HTTP_USER_AGENT": "first/1.0"}
    Client().get("/answer/200", **with_agent)
    Client().get("/answer/200")
    first, second = telemetry.spans
    assert first["attributes"]["user_agent.original"] == "first/1.0"
    assert "user_agent.original" not in second["attributes"]


def test_a_view_that_cannot_be_a_key_is_described_all_the_same(telemetry):
    Client().get("/unhashable")
    telemetry.assert_span("GET /unhashable", {"http.response.status_code": 200})


def test_outcomes_are_forgotten_when_there_are_too_many(telemetry, monkeypatch):
    """A11: bounded memory."""
    monkeypatch.setattr(outcomes_module, "MOST_KEPT", 3)
    for status in range(200, 210):
        Client().get(f"/answer/{status}")
    assert len(telemetry.runtime.engine._outcomes._kept) <= 3
    assert [span["attributes"]["http.response.status_code"] for span in telemetry.spans] == list(range(200, 210))


def test_a_long_route_is_counted_in_the_size_of_its_span(telemetry):
    Client().get(f"/{'long/' * 60}end")
    (outcome,) = telemetry.runtime.engine._outcomes._kept.values()
    assert len(outcome.route) > LONGEST_SMALL_TEXT
    assert not outcome.is_small


@pytest.mark.parametrize(
    ("response", "size"),
    [
        (lambda request: HttpResponse("four"), 4),
        (lambda request: HttpResponse(), 0),
        (lambda request: HttpResponse("four", headers={"Content-Length": "9"}), 4),
        (lambda request: HttpResponse(headers={"Content-Length": "9"}), 9),
        (lambda request: JsonResponse({}), 2),
    ],
    ids=["text", "empty", "says otherwise", "HEAD", "JSON"],
)
def test_the_size_of_a_response_is_that_of_its_content(telemetry, response, size):
    ObservabilityMiddleware(response)(RequestFactory().get("/answer/200"))
    assert telemetry.point("http.server.response.body.size")["sum"] == size


def test_a_response_that_nobody_rendered_is_not_asked_for_its_content(telemetry):
    """A middleware may answer with one; what is known of the request is recorded all the same."""
    unrendered = TemplateResponse(RequestFactory().get("/"), "missing.html", headers={"Content-Length": "9"})
    assert ObservabilityMiddleware(lambda request: unrendered)(RequestFactory().get("/answer/200")) is unrendered
    assert telemetry.point("http.server.response.body.size")["sum"] == 9
    assert telemetry.point("http.server.request.duration")["count"] == 1


def test_who_is_being_answered_is_counted_when_somebody_asks(telemetry, inside):
    """A7: and 0 is said of who was."""
    seen: list[dict[Any, float]] = []
    inside.append(lambda: seen.append(active(telemetry)))
    assert active(telemetry) == {}
    Client().get("/answer/200")
    assert seen == [{("GET", "http"): 1}]
    assert active(telemetry) == {("GET", "http"): 0}


def test_a_child_process_answers_none_of_its_parents_requests(telemetry, inside):
    """B7: a view that forks; the child runs the rest of the request, and must not count it out."""
    seen: list[dict[Any, float]] = []
    inside += [telemetry.runtime.aggregator.reset, lambda: seen.append(active(telemetry))]
    Client().get("/answer/200")
    assert seen == [{}]
    assert sum(active(telemetry).values()) == 0


def test_a_request_is_the_first_use_from_its_beginning():
    """A process that waits begins with the request, not when it ends: a stream may last for hours."""
    aggregator, used = Aggregator(100), []
    requests = ActiveRequests(aggregator)
    requests.begin(1, ("GET", "http"))
    aggregator.wait(lambda: used.append(True))
    requests.begin(2, ("GET", "http"))
    aggregator.begin()
    requests.begin(3, ("GET", "http"))
    assert used == [True]
    assert list(requests.counted()) == [(("GET", "http"), 3)]


def test_schemes_that_a_stranger_makes_up_are_forgotten_with_their_requests(monkeypatch):
    """A11: a server that believes X-Forwarded-Proto hands anything on."""
    monkeypatch.setattr(active_module, "MOST_KEPT", 2)
    requests = ActiveRequests(Aggregator(100))
    for number in range(10):
        requests.begin(number, ("GET", f"scheme{number}"))
    assert len(list(requests.counted())) == 10
    for number in range(10):
        requests.end(number)
    requests.end(11)
    assert list(requests.counted()) == [(label, 0) for label in dict(requests.counted())]
    assert len(list(requests.counted())) == 2


def test_the_kit_tells_what_it_costs_itself_of_every_sixteenth_request(telemetry):
    """Self-observability: the middleware's share and that of each query, without what the view takes."""
    for _ in range(2 * MEASURED_EVERY + 1):
        Client().get("/answer/200")
    point = telemetry.point("otelkit.overhead.duration")
    assert point["count"] == 2
    assert 0 < point["sum"] < telemetry.point("http.server.request.duration")["sum"] + 1


def test_queries_count_for_what_the_kit_costs(telemetry, inside, monkeypatch):
    """By a clock that goes on a second at each reading of the recorder's: a query is 1 s, and recording it 1 s of the kit's."""
    ticks = itertools.count()
    monkeypatch.setattr(recorder, "perf_counter", lambda: float(next(ticks)))

    def query() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    monkeypatch.setattr(telemetry.runtime.engine, "_until_measured", 1)
    inside += [query, query, query]
    Client().get("/answer/200")
    assert 3 <= telemetry.point("otelkit.overhead.duration")["sum"] < 4
    assert telemetry.point("db.client.operation.duration")["sum"] == 3


def test_the_kits_own_time_is_counted_once_for_a_stream(telemetry, monkeypatch):
    monkeypatch.setattr(telemetry.runtime.engine, "_until_measured", 1)
    response = ObservabilityMiddleware(lambda request: StreamingHttpResponse(iter([b"a", b"b"])))(RequestFactory().get("/answer/200"))
    assert b"".join(response) == b"ab"
    response.close()
    assert telemetry.point("otelkit.overhead.duration")["count"] == 1
