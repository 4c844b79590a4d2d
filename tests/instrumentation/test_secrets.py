"""C1, C2: secrets planted wherever a service meets them come out nowhere: not in a span, a metric, a log line, a header, or /metrics."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path
from opentelemetry import metrics as otel_metrics
from opentelemetry import trace

from otelkit import metrics
from otelkit.metrics import pull
from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH, Ask
from tests.project.models import Item
from tests.receivers import receiver

SECRET = "hunter2-correct-horse"
CARD = "4111 1111 1111 1111"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl"
BASIC = base64.b64encode(f"ann:{SECRET}".encode()).decode()
VISITS = metrics.counter("business.tests.doors", unit="{visit}", help="Visits by door.", labels={"door": ()})
PAINTS = otel_metrics.get_meter("shop").create_counter("shop.paints")
logger = logging.getLogger("shop")


def ok(request: HttpRequest, **captured: str) -> HttpResponse:
    return HttpResponse("ok")


def reads_the_body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.POST) or len(json.loads(request.body))))


def sql_literal(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM project_item WHERE name = '{SECRET}' AND id = {CARD.replace(' ', '')}")
    return HttpResponse("ok")


def sql_parameter(request: HttpRequest) -> HttpResponse:
    for _ in range(6):  # an N+1, whose statement is on span, metric and line
        Item.objects.filter(name=SECRET).first()
    return HttpResponse("ok")


def sql_that_fails(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT nothing FROM nowhere WHERE name = '{SECRET}'")
    return HttpResponse("ok")


def raises_with_a_pair(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"cannot log in: password={SECRET}")


def raises_with_a_dsn(request: HttpRequest) -> HttpResponse:
    raise ConnectionError(f"could not connect to postgres://app:{SECRET}@db:5432/shop")


def raises_with_a_card(request: HttpRequest) -> HttpResponse:
    try:
        raise ValueError(f"{CARD} was declined")
    except ValueError as error:
        raise LookupError(f"no other way to pay than {CARD}") from error


def raises_beside_a_local(request: HttpRequest) -> HttpResponse:
    local = [SECRET]
    raise ValueError(len(local))


def logs_a_key(request: HttpRequest) -> HttpResponse:
    logger.warning("signing in", extra={"password": SECRET, "form": {"user": "ann", "api_key": SECRET}})
    structlog.get_logger("shop").warning("signing in", token=SECRET)
    return HttpResponse("ok")


def logs_a_value(request: HttpRequest) -> HttpResponse:
    logger.warning("signing in with secret=%s", SECRET, extra={"detail": f"Authorization: Bearer {SECRET}"})
    structlog.get_logger("shop").warning(f"signing in with password: {SECRET}", page=f"https://shop.example/?next={SECRET}")
    return HttpResponse("ok")


def logs_a_jwt(request: HttpRequest) -> HttpResponse:
    logger.warning("got %s", JWT, extra={"header": f"x {JWT}"})
    return HttpResponse("ok")


def logs_a_card(request: HttpRequest) -> HttpResponse:
    logger.warning("paid with %s", CARD, extra={"numbers": [CARD.replace(" ", "")]})
    return HttpResponse("ok")


def spans_of_its_own(request: HttpRequest) -> HttpResponse:
    trace.get_current_span().set_attributes({"user.password": SECRET, "form": [f"pin={SECRET}"], "note": f"token: {SECRET}"})
    with trace.get_tracer("shop").start_as_current_span(
        "pay", attributes={"http.request.header.cookie": SECRET, "db.statement": "x"}
    ) as span:
        span.set_attribute("db.statement", f"SELECT 1 FROM users WHERE name = '{SECRET}'")
        span.add_event("asked", {"url.query": SECRET, "url.full": f"https://ann:{SECRET}@bank.example/?x={SECRET}"})
        span.update_name(f"GET /pay?x={SECRET}")
    return HttpResponse("ok")


def span_that_fails(request: HttpRequest) -> HttpResponse:
    with trace.get_tracer("shop").start_as_current_span("pay"):
        raise ValueError(f"declined, api_key={SECRET}")


def labels(request: HttpRequest) -> HttpResponse:
    VISITS.add(1, door=f"token={SECRET}")
    PAINTS.add(1, {"password": SECRET, "colour": f"secret={SECRET}"})
    return HttpResponse("ok")


def calls_another(request: HttpRequest) -> HttpResponse:
    with receiver() as other:
        address = other.endpoint.replace("http://", f"http://ann:{SECRET}@")
        httpx.post(f"{address}/v1/traces?key={SECRET}", content=SECRET, headers={"Authorization": f"Bearer {SECRET}"})
        ((_, sent, _),) = other.requests
    return HttpResponse(json.dumps({name.lower(): value for name, value in sent.items()}))


urlpatterns = [
    path("ok", ok),
    path("reset/<str:token>/", ok),
    path("verify/<str:code>/", ok),
    path("body", reads_the_body),
    path("sql-literal", sql_literal),
    path("sql-parameter", sql_parameter),
    path("sql-fails", sql_that_fails),
    path("pair", raises_with_a_pair),
    path("dsn", raises_with_a_dsn),
    path("card", raises_with_a_card),
    path("local", raises_beside_a_local),
    path("key", logs_a_key),
    path("value", logs_a_value),
    path("jwt", logs_a_jwt),
    path("log-card", logs_a_card),
    path("spans", spans_of_its_own),
    path("span-fails", span_that_fails),
    path("labels", labels),
    path("call", calls_another),
]

FORM = {"content_type": "application/x-www-form-urlencoded", "data": f"user=ann&password={SECRET}"}
PLANTED: dict[str, Callable[[Ask], Any]] = {
    "query value of a secret's name": lambda ask: ask(f"/ok?token={SECRET}&password={SECRET}"),
    "query value of any name": lambda ask: ask(f"/ok?q={SECRET}&{SECRET}"),
    "query of a path that is not there": lambda ask: ask(f"/nowhere?api_key={SECRET}"),
    "path": lambda ask: ask(f"/reset/{SECRET}/"),
    "path with a JWT": lambda ask: ask(f"/verify/{JWT}/"),
    "path that is not there, with a JWT": lambda ask: ask(f"/nowhere/{JWT}/"),
    "authorization": lambda ask: ask("/ok", headers={"authorization": f"Bearer {SECRET}"}),
    "basic authorization": lambda ask: ask("/ok", headers={"authorization": f"Basic {BASIC}"}),
    "header": lambda ask: ask("/ok", headers={"x-api-key": SECRET, "x-forwarded-for": SECRET, "x-custom": SECRET}),
    "referer": lambda ask: ask("/ok", headers={"referer": f"https://shop.example/?token={SECRET}"}),
    "user agent": lambda ask: ask("/ok", headers={"user-agent": f"Mozilla/5.0 token={SECRET}"}),
    "cookie": lambda ask: ask("/ok", headers={"cookie": f"sessionid={SECRET}; theme={SECRET}"}),
    "form body": lambda ask: ask("/body", "POST", **FORM),
    "JSON body": lambda ask: ask("/body", "POST", data=json.dumps({"password": SECRET}), content_type="application/json"),
    "SQL literal": lambda ask: ask("/sql-literal"),
    "SQL parameter": lambda ask: ask("/sql-parameter"),
    "SQL that fails": lambda ask: ask("/sql-fails"),
    "exception text": lambda ask: ask("/pair"),
    "DSN": lambda ask: ask("/dsn"),
    "card number in an exception and its cause": lambda ask: ask("/card"),
    "local variable of a frame": lambda ask: ask("/local"),
    "log key": lambda ask: ask("/key"),
    "log value": lambda ask: ask("/value"),
    "JWT in a log line": lambda ask: ask("/jwt"),
    "card number in a log line": lambda ask: ask("/log-card"),
    "baggage": lambda ask: ask("/call", headers={"baggage": f"token={SECRET},note=password%3D{SECRET},jwt={JWT},tenant=acme"}),
    "outbound URL, header and body": lambda ask: ask("/call"),
    "the project's own spans": lambda ask: ask("/spans"),
    "the project's own span that fails": lambda ask: ask("/span-fails"),
    "labels of the project's metrics": lambda ask: ask("/labels"),
}
SETTINGS = {
    "logs": {"exporters": ["otlp", "console"]},
    "metrics": {"exporters": ["otlp", "prometheus"]},
    "service": {"attributes": {"db.password": SECRET, "motd": f"pin={SECRET}"}},
    "requests": {"body_sizes": True, "response_headers": ["traceresponse", "server-timing"]},
}


def _assert_no_secret(telemetry: Telemetry, *more: str) -> None:
    scraped = pull.metrics(RequestFactory().get("/metrics")).content.decode()
    assert "http_server_request_duration_seconds" in scraped
    for secret in (SECRET, CARD, CARD.replace(" ", ""), JWT, BASIC, *more):
        telemetry.assert_no_secrets(secret)
        assert secret not in scraped


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("place", PLANTED)
def test_a_planted_secret_comes_out_nowhere(place, ask):
    """C1: 18 places and a dozen more, each over every output."""
    with capture(SETTINGS) as telemetry:
        answer = PLANTED[place](ask)
        (request,) = [span for span in telemetry.spans if span["kind"] == "SERVER"]
        status = {404: 404, 500: 500}.get(answer.status_code, 200)
        assert request["attributes"]["http.response.status_code"] == answer.status_code == status
        assert telemetry.lines
        _assert_no_secret(telemetry)


@override_settings(ROOT_URLCONF=__name__)
def test_everything_else_is_still_told(capsys):
    """C1, the loud side: what is no secret beside one is kept, or nobody would need the line. Printed, too."""
    console = logging.StreamHandler(sys.stdout)
    logging.getLogger().addHandler(console)
    try:
        _assert_told()
    finally:
        logging.getLogger().removeHandler(console)
    printed = "".join(capsys.readouterr())
    assert '"message":"signing in"' in printed
    assert not [secret for secret in (SECRET, CARD, JWT, BASIC) if secret in printed]


def _assert_told() -> None:
    with capture(SETTINGS) as telemetry:
        for place in PLANTED.values():
            place(BOTH[0])
        _assert_no_secret(telemetry)
        telemetry.assert_log("signing in", {"form": {"user": "ann", "api_key": "[REDACTED]"}})
        telemetry.assert_span("GET /reset/{token}/", {"url.path": "/reset/[REDACTED]/"})
        telemetry.assert_span("SELECT project_item", {"db.query.text": "SELECT name FROM project_item WHERE name = ? AND id = ?"})
        pay = telemetry.assert_span("GET /pay?x=REDACTED", {"db.statement": "SELECT ? FROM users WHERE name = ?"})
        assert pay["events"][0]["attributes"]["url.full"] == "https://REDACTED:REDACTED@bank.example/?x=REDACTED"
        failed = telemetry.assert_span("pay", status="ERROR")
        assert failed["status_message"] == "ValueError: declined, api_key=[REDACTED]"
        assert failed["events"][0]["attributes"]["exception.message"] == "declined, api_key=[REDACTED]"
        telemetry.assert_metric("business.tests.doors", {"door": "token=[REDACTED]"}, value=1)
        assert pay["resource"]["db.password"] == "[REDACTED]"


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("ask", BOTH)
def test_secrets_in_baggage_stay_here_and_the_rest_travels_on(ask):
    """C1: the next service, and whoever runs it, gets what is no secret."""
    with capture() as telemetry:
        header = f"token={SECRET},note=password%3D{SECRET},card={CARD.replace(' ', '')},jwt={JWT},tenant=acme;ttl=1,session_count=3"
        sent = json.loads(ask("/call", headers={"baggage": header}).content)
        assert sent["baggage"] == "tenant=acme;ttl=1,session_count=3"
        assert sent["authorization"] == f"Basic {BASIC}", "what the project sends itself is the project's business"
        telemetry.assert_no_secrets(SECRET, JWT)


SEVEN = ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"]
"""Of the semantic conventions 1.44, as they are spelled there."""
MORE = ["token", "access_token", "password", "api_key", "apikey", "code", "state", "email", "q", "whatever"]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("key", [*SEVEN, *MORE])
def test_values_of_query_keys_are_in_no_output(key):
    """C2: of known and unknown keys alike, inbound and outbound."""
    with capture(SETTINGS) as telemetry:
        BOTH[0](f"/ok?{key}={SECRET}", headers={"referer": f"https://shop.example/?{key}={SECRET}"})
        with receiver() as other:
            httpx.post(f"{other.endpoint}/?{key}={SECRET}")
        _assert_no_secret(telemetry)
        assert telemetry.span("POST")["attributes"]["url.full"].endswith(f"/?{key}=REDACTED")
