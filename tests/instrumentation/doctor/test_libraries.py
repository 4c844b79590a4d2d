"""The doctor's hop for libraries, each fault beside the project that does not have it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from types import ModuleType
from typing import Any

import pytest
import requests

from otelkit.doctor import Outcome
from otelkit.libraries import patching
from otelkit.libraries import requests as followed_requests
from tests.instrumentation.doctor.patients import ENDPOINT, Patient, Visit
from tests.receivers import receiver

REQUESTS = followed_requests.LIBRARY


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Visit]]:
    """Examines a project whose receiver is in order."""
    with receiver() as there:

        def examine(**patient: Any) -> Visit:
            visit = Patient(environ={ENDPOINT: there.endpoint}, **patient).visit(monkeypatch)
            visit.assert_every_complaint_has_a_fix_and_no_secret()
            return visit

        yield examine


def test_a_project_in_order_hears_what_is_followed_and_what_waits(examined, monkeypatch):
    monkeypatch.delitem(sys.modules, "pika.adapters.blocking_connection", raising=False)
    visit = examined(otelkit={"libraries": {"disabled": ["redis"]}})
    said = visit.of("libraries", Outcome.PASS)
    assert "followed: django_cache, django_templates" in said
    assert "requests" in said.partition("; ")[0]
    assert 'left alone by OTELKIT["libraries"]["disabled"]: redis' in said
    assert (visit.code, visit.of("libraries", Outcome.WARN)) == (0, "")


def test_a_release_that_cannot_be_followed_fails_with_an_exit_code_of_its_own(examined, monkeypatch):
    """E4: installed, imported, and not instrumented."""

    def moved(recording: Any) -> None:
        raise KeyError("send")

    monkeypatch.setattr("otelkit.libraries.LIBRARIES", (replaced(moved),))
    visit = examined()
    assert visit.code == 21
    assert "requests is imported, but otelkit cannot follow this version (KeyError: 'send')" in visit.of("libraries")
    assert 'OTELKIT["libraries"]["disabled"] = ["requests"]' in visit.of("libraries")
    assert visit.of("libraries", Outcome.PASS) == ""
    monkeypatch.undo()
    assert examined().code == 0, "what was wrong with the last run is forgotten"


def replaced(instrument: Callable[[Any], None]) -> Any:
    return type(REQUESTS)(REQUESTS.fact, instrument, REQUESTS.uninstrument, REQUESTS.emits)


def test_what_somebody_has_replaced_behind_us_is_named_and_what_somebody_wraps_is_not(examined, monkeypatch):
    """E4: the wrong order."""

    def instrument_and_be_replaced(recording: Any) -> None:
        REQUESTS.instrument(recording)
        (place,) = {name for _, name, _ in followed_requests._patches._ours}
        ours = vars(requests.Session)[place]
        monkeypatch.setattr(requests.Session, place, wraps(ours)(partial(ours)))
        assert patching.displaced() == [], "who wraps it leads to it"
        monkeypatch.setattr(requests.Session, place, lambda *args, **kwargs: None)

    monkeypatch.setattr("otelkit.libraries.LIBRARIES", (replaced(instrument_and_be_replaced),))
    visit = examined()
    said = visit.of("libraries", Outcome.WARN)
    assert "requests.sessions.Session." in said
    assert f"was replaced behind otelkit by {__name__}" in said
    assert "above otelkit's in INSTALLED_APPS" in said
    assert visit.code == 0, "a warning is no failure"


def test_a_library_that_nobody_follows_is_named_with_the_package_that_does(examined, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymongo", ModuleType("pymongo"))
    said = examined().of("libraries", Outcome.WARN)
    assert "pymongo is imported, and nobody follows it" in said
    assert "pip install opentelemetry-instrumentation-pymongo" in said
    instrumentor = type("PymongoInstrumentor", (), {"_instance": type("Active", (), {"is_instrumented_by_opentelemetry": True})()})
    upstream = ModuleType("opentelemetry.instrumentation.pymongo")
    vars(upstream)["PymongoInstrumentor"] = instrumentor
    monkeypatch.setitem(sys.modules, upstream.__name__, upstream)
    assert examined().of("libraries", Outcome.WARN) == "", "OpenTelemetry's instrumentation does"
