"""B5: a view raises an exception that holds a hostile value."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.log import AdminEmailHandler

from otelkit.testing import capture
from tests.instrumentation.asking import BOTH
from tests.instrumentation.logs.hostile import HOSTILE


def raises(request: HttpRequest) -> HttpResponse:
    raise ValueError(HOSTILE[request.GET["name"]])


urlpatterns = [path("raises", raises)]


@pytest.fixture(autouse=True)
def _nothing_is_mailed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django 4.2 writes its page for the admins although there are none: it fails at some of the values, and takes minutes for others."""
    monkeypatch.setattr(AdminEmailHandler, "emit", lambda *_: None)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("ask", BOTH)
@override_settings(ROOT_URLCONF=__name__)
def test_any_value_may_be_in_an_exception_of_a_view(name, ask):
    """B5: one span, one sample, one access line, and one line with the exception; the answer is the 500 that it is without the kit."""
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        answer = ask(f"/raises?name={quote(name)}")
        assert (answer.status_code, b"Server Error" in answer.content) == (500, True)
        span = telemetry.assert_span("GET /raises", {"error.type": "ValueError", "http.response.status_code": 500}, status="ERROR")
        assert [event["attributes"]["exception.type"] for event in span["events"]] == ["ValueError"]
        telemetry.assert_metric("http.server.request.duration", {"http.route": "/raises", "error.type": "ValueError"}, count=1)
        telemetry.assert_log("GET /raises 500", level="error")
        assert telemetry.assert_log("Internal Server Error: /raises", {"exception.type": "ValueError"})["exception.stacktrace"]
        assert len([line for line in telemetry.lines if line["logger"] != "hostile"]) == 2
