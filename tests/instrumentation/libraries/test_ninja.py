"""django-ninja: operations, schemas, throttles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

pytest.importorskip("ninja", reason="django-ninja is not installed: pip install django-ninja")

from ninja.main import NinjaAPI
from ninja.operation import AsyncOperation, Operation

from otelkit.libraries.ninja import LIBRARY
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH

URLS = "tests.instrumentation.libraries.ninja_urls"


@pytest.fixture(autouse=True)
def api() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=URLS):
        cache.clear()
        yield
        cache.clear()


def post(ask: Any, path: str, body: Any) -> Any:
    return ask(path, "POST", data=json.dumps(body).encode(), content_type="application/json")


@pytest.mark.parametrize("ask", BOTH)
def test_a_span_names_the_operation_that_its_method_chose(ask):
    """A10: the view of the pattern is ninja's own, the same for every method."""
    with capture() as telemetry:
        assert ask("/api/lines/7").json() == {"sku": "tea", "count": 7}
        assert post(ask, "/api/lines/7", {"sku": "milk", "count": 2}).json() == {"sku": "milk", "count": 2}
        assert post(ask, "/api/async", {"sku": "milk", "count": 2}).json() == {"sku": "milk", "count": 2}
        names = {span["name"]: span["attributes"]["code.function.name"] for span in telemetry.spans}
        assert names == {
            "GET /api/lines/{pk}": f"{URLS}.read_line",
            "POST /api/lines/{pk}": f"{URLS}.change_line",
            "POST /api/async": f"{URLS}.make_line",
        }
        phases = {point["attributes"]["phase"] for point in telemetry.metrics["django.request.phase.duration"]}
        assert "serialization" in phases


@pytest.mark.parametrize("path", ["/api/lines/7", "/api/async"])
@pytest.mark.parametrize("ask", BOTH)
def test_errors_of_validation_are_counted_and_their_values_are_nowhere(ask, path):
    """A8, C1."""
    wrong = {"sku": 5, "count": "a secret"}
    without = post(ask, path, wrong)
    with capture() as telemetry:
        answer = post(ask, path, wrong)
        assert (answer.status_code, answer.content) == (without.status_code, without.content) == (422, without.content)
        (span,) = [span for span in telemetry.spans if span["kind"] == "SERVER"]
        assert (span["status"], span["attributes"]["validation.error.count"]) == ("UNSET", 2)
        assert [point["value"] for point in telemetry.metrics["validation.failures"]] == [1]
        assert "a secret" not in str(list(telemetry.outputs()))


@pytest.mark.parametrize("ask", BOTH)
def test_a_request_that_a_throttle_refused_is_counted(ask):
    with capture() as telemetry:
        assert [ask("/api/throttled").status_code for _ in range(2)] == [200, 429]
        assert ask("/api/never").status_code == 429
        found = [(point["attributes"].get("scope"), point["value"]) for point in telemetry.metrics["throttle.rejections"]]
        assert sorted(found, key=str) == [("anon", 1), (None, 1)]
        post(ask, "/api/async", {})
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


def test_an_error_of_the_operation_goes_through():
    with capture() as telemetry:
        assert BOTH[0]("/api/boom").status_code == 500
        span = telemetry.span("GET /api/boom")
        assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "LookupError")


def test_in_development_each_step_has_a_span():
    with capture({"libraries": {"slow_step": 0}}) as telemetry:
        BOTH[0]("/api/lines/7")
        server = telemetry.span("GET /api/lines/{pk}")["span_id"]
        steps = {span["name"] for span in telemetry.spans if span["parent_span_id"] == server}
        assert steps == {"validate read_line", "serialize read_line"}


def test_stop_gives_everything_its_own_methods_back():
    """A26."""
    owners: list[tuple[type, str]] = [
        (Operation, "run"),
        (AsyncOperation, "run"),
        (Operation, "_get_values"),
        (Operation, "_result_to_response"),
        (Operation, "_check_throttles"),
        (NinjaAPI, "on_exception"),
    ]
    before = [vars(owner)[name] for owner, name in owners]
    with capture():
        assert not any(vars(owner)[name] is own for (owner, name), own in zip(owners, before, strict=True))
    assert [vars(owner)[name] for owner, name in owners] == before


def test_a_failure_of_ours_does_not_reach_the_answer(monkeypatch, caplog):
    """B6."""
    with capture():
        monkeypatch.setattr("otelkit.libraries.validation.route_of", lambda *_: 1 / 0)
        assert post(BOTH[0], "/api/async", {}).status_code == 422
        monkeypatch.undo()
    assert "the answer is not affected" in caplog.text
