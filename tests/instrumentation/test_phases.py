"""Where the time of a request goes, counted once, and without a thread more than before."""

from __future__ import annotations

import asyncio
import json
import threading

import asgiref.sync
import pytest
from django.conf import settings
from django.template.backends.django import Template
from django.test import AsyncClient, override_settings

from otelkit import startup
from otelkit.catalog.labels import REQUEST_PHASE
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH
from tests.project.models import Item
from tests.receivers import receiver

METRIC = "django.request.phase.duration"


@pytest.fixture
def item():
    item = Item.objects.create(name="tea")
    yield item
    item.delete()


def seconds(telemetry) -> dict[str, float]:
    """Seconds of each phase of the one request, from the metric."""
    assert all(point["count"] == 1 for point in telemetry.metrics[METRIC])
    return {point["attributes"]["phase"]: point["sum"] for point in telemetry.metrics[METRIC]}


@pytest.mark.parametrize("ask", BOTH)
def test_a_query_in_a_template_in_a_view_counts_once_and_for_the_query(ask, item):
    """The phases of a request add up to its duration, and say the same on the span, in milliseconds."""
    with capture() as telemetry:
        assert ask("/template").content.startswith(b"Items: tea")
        found = seconds(telemetry)
        total = telemetry.point("http.server.request.duration")["sum"]
        attributes = telemetry.span("GET /template")["attributes"]
        assert {point["attributes"]["http.route"] for point in telemetry.metrics[METRIC]} == {"/template"}
    assert set(found) == {"middleware", "view", "db", "template"}
    assert sum(found.values()) == pytest.approx(total, abs=1e-3)
    assert found["view"] >= 0.03, "what the view itself waits for"
    assert 0.02 <= found["template"] < 0.03 + found["view"], "what the template waits for"
    assert found["db"] == pytest.approx(attributes["db.duration"])
    assert attributes["db.query.count"] == 2
    for phase, value in found.items():
        assert attributes[f"django.request.phase.{phase}_ms"] == pytest.approx(value * 1000)


@pytest.mark.parametrize("ask", BOTH)
def test_outbound_calls_are_a_phase(ask):
    with receiver() as peer, capture() as telemetry:
        assert ask(f"/call?url={peer.endpoint}/v1/traces").status_code == 200
        found = seconds(telemetry)
        assert found["outbound"] == pytest.approx(telemetry.point("http.client.request.duration")["sum"])
    assert set(found) == {"middleware", "view", "outbound"}


@pytest.mark.parametrize("ask", BOTH)
def test_what_a_middleware_does_is_no_view(ask):
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, "tests.instrumentation.middlewares.slow"]), capture() as telemetry:
        ask("/items/7")
        found = seconds(telemetry)
    assert found["middleware"] >= 0.03
    assert found["view"] < 0.03


def test_a_streamed_body_is_made_by_the_view_and_waiting_for_its_reader_is_nobodys_phase():
    with capture() as telemetry:
        b"".join(BOTH[0]("/stream").streaming_content)
        found = seconds(telemetry)
    assert found["view"] >= 0.3
    assert found["middleware"] < 0.3


def test_every_phase_is_in_the_catalogue(item):
    with capture() as telemetry:
        BOTH[0]("/template")
        assert set(seconds(telemetry)) <= set(REQUEST_PHASE.values)


@pytest.mark.parametrize("ask", BOTH)
def test_phases_can_be_left_out(ask):
    with capture({"requests": {"phases": False}}) as telemetry:
        assert startup.VIEW_MIDDLEWARE not in settings.MIDDLEWARE
        ask("/template")
        assert METRIC not in telemetry.metrics
        assert not any("phase" in key for key in telemetry.span("GET /template")["attributes"])


def test_stop_takes_the_measuring_out_again():
    """A26."""
    before, render = list(settings.MIDDLEWARE), Template.render
    with capture():
        assert Template.render is not render
        assert settings.MIDDLEWARE[-1] == startup.VIEW_MIDDLEWARE
    assert Template.render is render
    assert before == settings.MIDDLEWARE


def test_async_views_stay_on_the_event_loop_with_phases():
    """A5: both of our middlewares, and no hop to a thread."""
    with override_settings(MIDDLEWARE=[]), capture() as telemetry:
        assert settings.MIDDLEWARE == [startup.MIDDLEWARE, startup.VIEW_MIDDLEWARE]

        async def ask():
            answer = await AsyncClient().get("/async/items/7")
            return json.loads(answer.content)["thread"], threading.get_ident()

        view, loop = asyncio.run(ask())
        assert view == loop
        assert seconds(telemetry)["view"] > 0


@pytest.mark.parametrize("middleware", [[], ["tests.instrumentation.tenants.TenantMiddleware"], "as it is"])
def test_the_kit_adds_no_hop_to_a_thread(monkeypatch, middleware):
    """A5: as many hops with the kit as without, whatever middleware the project has."""
    hops = []
    original = asgiref.sync.SyncToAsync.__call__

    def counted(self, *args, **kwargs):
        hops.append(self.func)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", counted)
    with override_settings(MIDDLEWARE=settings.MIDDLEWARE if middleware == "as it is" else middleware):
        for path in ("/async/items/7", "/items/7", "/async/boom", "/missing"):
            BOTH[1](path)
        without = len(hops)
        hops.clear()
        with capture():
            for path in ("/async/items/7", "/items/7", "/async/boom", "/missing"):
                BOTH[1](path)
    assert len(hops) == without
