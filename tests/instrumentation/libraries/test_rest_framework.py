"""Django REST framework: serializers, throttles and validation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

pytest.importorskip("rest_framework", reason="djangorestframework is not installed")

from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListSerializer
from rest_framework.views import APIView

from otelkit.libraries.rest_framework import LIBRARY
from otelkit.libraries.validation import MOST_ERRORS, count
from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH
from tests.instrumentation.libraries.rest_urls import SHARED

URLS = "tests.instrumentation.libraries.rest_urls"


@pytest.fixture(autouse=True)
def api() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=URLS):
        cache.clear()
        yield
        cache.clear()


def post(ask: Any, path: str, body: Any) -> Any:
    return ask(path, "POST", data=json.dumps(body).encode(), content_type="application/json")


def values(telemetry: Telemetry, metric: str, label: str) -> dict[str, float]:
    return {point["attributes"][label]: point["value"] for point in telemetry.metrics.get(metric, [])}


WRONG = {"name": "", "lines": [{"sku": "a secret", "count": 0}, {"count": 1}]}


@pytest.mark.parametrize("ask", BOTH)
def test_serializers_and_renderers_are_a_phase(ask):
    """The phases still add up to the request: no second counts twice, a list within an object neither."""
    without = ask("/orders").content
    with capture() as telemetry:
        assert ask("/orders").content == without
        phases = {point["attributes"]["phase"]: point["sum"] for point in telemetry.metrics["django.request.phase.duration"]}
        assert phases["serialization"] > 0
        assert sum(phases.values()) == pytest.approx(telemetry.point("http.server.request.duration")["sum"], abs=1e-3)
        attributes = telemetry.span("GET /orders")["attributes"]
        assert attributes["django.request.phase.serialization_ms"] == pytest.approx(phases["serialization"] * 1000)
        assert attributes["code.function.name"] == f"{URLS}.Orders.get"


def test_in_development_each_step_has_a_span():
    with capture({"libraries": {"slow_step": 0}}) as telemetry:
        BOTH[0]("/orders")
        server = telemetry.span("GET /orders")
        for name, function in (("serialize Order", f"{URLS}.Order"), ("render JSONRenderer", "rest_framework.renderers.JSONRenderer")):
            span = telemetry.span(name)
            assert span["parent_span_id"] == server["span_id"]
            assert span["attributes"] == {"code.function.name": function}


@pytest.mark.parametrize("ask", BOTH)
def test_errors_of_validation_are_counted_and_their_values_are_nowhere(ask):
    """A8, C1: five errors in one request, which is no failure of the service."""
    without = post(ask, "/orders", WRONG)
    with capture() as telemetry:
        answer = post(ask, "/orders", WRONG)
        assert (answer.status_code, answer.content) == (without.status_code, without.content)
        span = telemetry.span("POST /orders")
        assert (span["status"], span["attributes"]["validation.error.count"]) == ("UNSET", 4)
        assert values(telemetry, "validation.failures", "http.route") == {"/orders": 1}
        assert "a secret" not in str(list(telemetry.outputs()))


@pytest.mark.parametrize(("path", "body", "errors"), [("/refused", {}, 3), ("/lenient", [{"sku": "toolong"}, {}], 4)])
def test_who_found_them_makes_no_difference(path, body, errors):
    with capture() as telemetry:
        post(BOTH[0], path, body)
        assert telemetry.span(f"POST {path}")["attributes"]["validation.error.count"] == errors
        assert values(telemetry, "validation.failures", "http.route") == {path: 1}


def test_what_is_valid_is_not_counted():
    with capture() as telemetry:
        assert post(BOTH[0], "/orders", {"name": "tea", "lines": []}).status_code == 201
        assert "validation.failures" not in telemetry.metrics
        assert "validation.error.count" not in telemetry.span("POST /orders")["attributes"]


def test_the_metrics_are_those_that_the_library_declares():
    with capture() as telemetry:
        post(BOTH[0], "/refused", {})
        BOTH[0]("/throttled?throttle=never")
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


@pytest.mark.parametrize("ask", BOTH)
def test_a_request_that_a_throttle_refused_is_counted_by_its_scope(ask):
    with capture() as telemetry:
        answers = [ask(f"/throttled?throttle={which}&who=me") for which in ("once", "once", "never", "both")]
        assert [answer.status_code for answer in answers] == [200, 429, 429, 429]
        assert answers[2].headers["Retry-After"] == "7"
        assert values(telemetry, "throttle.rejections", "scope") == {"once": 2, "Never": 2}
        assert telemetry.spans[-1]["status"] == "UNSET"
    assert "allow_request" not in vars(SHARED), "a throttle that all requests share stays as it is"


def test_a_view_without_throttles_counts_none():
    with capture() as telemetry:
        assert BOTH[0]("/unscoped").status_code == 200
        assert "throttle.rejections" not in telemetry.metrics


def test_a_failure_of_ours_does_not_reach_the_answer(monkeypatch, caplog):
    """B6."""
    with capture():
        monkeypatch.setattr("otelkit.libraries.validation.route_of", lambda *_: 1 / 0)
        assert post(BOTH[0], "/orders", WRONG).status_code == 400
        monkeypatch.undo()
    assert "the answer is not affected" in caplog.text


def test_stop_gives_everything_its_own_methods_back():
    """A26."""
    owners: list[tuple[type, str]] = [
        (APIView, "check_throttles"),
        (APIView, "handle_exception"),
        (Response, "rendered_content"),
        (BaseSerializer, "data"),
        (BaseSerializer, "is_valid"),
        (ListSerializer, "is_valid"),
    ]
    before = [vars(owner)[name] for owner, name in owners]
    with capture():
        assert not any(vars(owner)[name] is own for (owner, name), own in zip(owners, before, strict=True))
    assert [vars(owner)[name] for owner, name in owners] == before


class Endless(dict):  # type: ignore[type-arg]
    """Errors within errors, without end."""

    def values(self) -> Any:
        return [self, self]


@pytest.mark.parametrize(
    ("errors", "found"),
    [("one", 1), ({}, 1), ([], 1), (None, 1), ({"a": ["x", {"b": ("y", "z")}]}, 3), (["x"] * 5000, MOST_ERRORS)],
)
def test_errors_of_any_form_are_counted(errors, found):
    assert count(errors) == found


def test_errors_that_hold_themselves_end():
    """B5."""
    assert count(Endless(a=1)) <= MOST_ERRORS
