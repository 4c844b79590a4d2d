"""Templates: how long each takes, by name, for Django's backend and Jinja's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.template.backends.django import Template
from django.template.loader import render_to_string
from django.test import override_settings

from otelkit.libraries.django_templates import LIBRARY
from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH

METRIC = "django.template.render.duration"
PAGES = {"page.html": "{% include 'part.html' %}{{ name }}", "part.html": "Hello ", "broken.html": "{{ broken.value }}"}
JINJA_PAGES = {"page.html": "{% include 'part.html' %}{{ name }}", "part.html": "Hello ", "broken.html": "{{ broken.value }}"}


def jinja_environment(**options: Any) -> Any:
    from jinja2 import DictLoader, Environment

    options |= {"loader": DictLoader(JINJA_PAGES), "autoescape": True}
    return Environment(**options)


DJANGO = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", PAGES)]},
}
JINJA = {
    "BACKEND": "django.template.backends.jinja2.Jinja2",
    "OPTIONS": {"environment": "tests.instrumentation.libraries.test_django_templates.jinja_environment"},
}


@pytest.fixture(params=[DJANGO, JINJA], ids=["django", "jinja"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param is JINJA:
        pytest.importorskip("jinja2", reason="jinja2 is not installed: pip install jinja2")
    with override_settings(TEMPLATES=[request.param]):
        yield request.param["BACKEND"]


def counts(telemetry: Telemetry) -> dict[str | None, int]:
    return {point["attributes"].get("template.name"): point["count"] for point in telemetry.metrics.get(METRIC, [])}


def test_a_template_counts_once_with_what_it_includes(engine):
    """A25: and renders what it renders without us."""
    without = render_to_string("page.html", {"name": "Ada"})
    with capture() as telemetry:
        assert render_to_string("page.html", {"name": "Ada"}) == without == "Hello Ada"
        assert counts(telemetry) == {"page.html": 1}
        assert {METRIC} == {metric.name for metric in LIBRARY.emits}


def test_a_template_without_a_name_is_a_series_without_one(engine):
    with capture({"libraries": {"slow_step": 0}}) as telemetry, telemetry.runtime.tracer.start_as_current_span("work"):
        (backend,) = engines.all()
        for number in range(3):
            assert backend.from_string(f"{number}").render() == f"{number}"
        assert counts(telemetry) == {None: 3}
        assert {span["name"] for span in telemetry.spans} == {"render a text"}


class Broken:
    @property
    def value(self) -> str:
        raise LookupError("its own")


def test_its_own_error_goes_through_and_counts(engine):
    with capture({"libraries": {"slow_step": 0}}) as telemetry, telemetry.runtime.tracer.start_as_current_span("work"):
        with pytest.raises(LookupError, match="its own"):
            render_to_string("broken.html", {"broken": Unsilenced()})
        assert counts(telemetry) == {"broken.html": 1}
        span = telemetry.span("render broken.html")
        assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "LookupError")


class Unsilenced(Broken):
    """Django's templates swallow AttributeError and KeyError's kin only where they say so."""

    def __getitem__(self, name: str) -> str:
        raise AttributeError


def test_a_span_in_development_holds_what_happens_inside(engine):
    with capture({"libraries": {"slow_step": 0}}) as telemetry:
        tracer = telemetry.runtime.tracer

        class Late:
            def __str__(self) -> str:
                with tracer.start_as_current_span("inside"):
                    return "Ada"

        with tracer.start_as_current_span("work"):
            render_to_string("page.html", {"name": Late()})
        page = telemetry.span("render page.html")
        assert page["parent_span_id"] == telemetry.span("work")["span_id"]
        assert telemetry.span("inside")["parent_span_id"] == page["span_id"]
        assert (page["kind"], page["attributes"]) == ("INTERNAL", {"template.name": "page.html"})


def test_what_a_form_renders_is_within_its_page():
    class Form(forms.Form):
        name = forms.CharField()

    with capture() as telemetry:
        assert "input" in Form().as_p()
        found = counts(telemetry)
        assert found["django/forms/widgets/text.html"] == 1
        assert None not in found


def test_names_made_at_run_time_end_in_one_series():
    """A11."""
    pages = {f"{number}.html": "x" for number in range(300)}
    configured = {**DJANGO, "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", pages)]}}
    with override_settings(TEMPLATES=[configured]), capture() as telemetry:
        for name in pages:
            render_to_string(name)
        assert len(telemetry.metrics[METRIC]) == 201
        (overflowed,) = [point for point in telemetry.metrics["otelkit.series.overflowed"] if point["attributes"]["metric"] == METRIC]
        assert overflowed["value"] == 100


def test_stop_gives_the_backends_their_own_methods_back(engine):
    """A26."""
    kinds: list[Any] = [Template]
    if "jinja2" in engine:
        from django.template.backends.jinja2 import Template as JinjaTemplate

        kinds.append(JinjaTemplate)
    before = [kind.render for kind in kinds]
    with capture():
        assert all(kind.render is not render for kind, render in zip(kinds, before, strict=True))
    assert [kind.render for kind in kinds] == before


@pytest.mark.parametrize("ask", BOTH)
def test_the_time_of_a_request_counts_for_its_phase_though_phases_are_not_recorded(ask):
    with capture({"requests": {"phases": False}}) as telemetry:
        assert ask("/template").status_code == 200
        assert counts(telemetry) == {"items.html": 1}
        assert "django.request.phase.duration" not in telemetry.metrics


def test_a_failure_of_ours_does_not_reach_the_page(engine, monkeypatch, caplog):
    """B6."""
    with capture():
        monkeypatch.setattr("otelkit.metrics.aggregator.Histogram.record", lambda *_: 1 / 0)
        assert render_to_string("page.html", {"name": "Ada"}) == "Hello Ada"
        monkeypatch.undo()
    assert "what it rendered is not affected" in caplog.text


def test_threads_do_not_see_one_anothers_templates(engine):
    """B7."""
    render: Callable[[int], str] = lambda number: render_to_string("page.html", {"name": number})  # noqa: E731
    with capture() as telemetry, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(render, range(800))) == [f"Hello {number}" for number in range(800)]
        assert counts(telemetry) == {"page.html": 800}
