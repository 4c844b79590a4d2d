"""django-prometheus beside the kit, and its names without it: as boards that exist read them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
from django.test import Client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from otelkit.catalog.metrics import Kind, Metric
from otelkit.catalog.naming import series_name, series_names
from otelkit.metrics import django_prometheus
from otelkit.metrics.django_prometheus_names import EXCEPTIONS, LATENCIES, REQUESTS
from otelkit.metrics.sdk_points import Histograms, Numbers, scope_of
from otelkit.testing import capture

EMULATED = {"metrics": {"django_prometheus": "emulate"}}

REAL_PROJECT = """
import json, sys
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

def ok(request, pk):
    return HttpResponse("ok")

def boom(request):
    raise RuntimeError

urlpatterns = [path("items/<int:pk>", ok, name="item"), path("boom", boom, name="boom")]
settings.configure(
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django_prometheus.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_prometheus"],
    MIDDLEWARE=["django_prometheus.middleware.PrometheusBeforeMiddleware", "django_prometheus.middleware.PrometheusAfterMiddleware"],
    PROMETHEUS_EXPORT_MIGRATIONS=False,
    LOGGING_CONFIG=None,
)
import django
django.setup()
from django.db import connection
from django.test import Client
from otelkit.testing import capture
from prometheus_client import REGISTRY

with capture(json.loads(sys.argv[1])) as telemetry:
    client = Client(raise_request_exception=False)
    for _ in range(3):
        client.get("/items/7")
    client.get("/boom")
    connection.cursor().execute("SELECT 1")
    sent = {name: points for name, points in telemetry.metrics.items() if name.startswith("django_")}
    notes = [str(note) for note in telemetry.runtime.notes]
page = {sample.name for family in REGISTRY.collect() for sample in family.samples if not sample.name.endswith("_created")}
values = {sample.name: sample.value for family in REGISTRY.collect() for sample in family.samples}
print(json.dumps({"sent": sent, "notes": notes, "page": sorted(page), "requests": values["django_http_requests_before_middlewares_total"]}))
"""


@pytest.fixture(scope="module")
def real() -> Any:
    """A process of its own, because importing django-prometheus registers its metrics for ever."""
    if find_spec("django_prometheus") is None:
        pytest.skip("django-prometheus is not installed: pip install 'otelkit[django-prometheus]'")

    def run(settings: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", REAL_PROJECT, json.dumps(settings)], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    return run


def test_what_django_prometheus_counts_leaves_over_otlp_under_the_names_of_its_page(real):
    answer = real({})
    sent = answer["sent"]
    assert any("sent over OTLP too" in note for note in answer["notes"])
    assert answer["requests"] == 4
    assert [point["value"] for point in sent["django_http_requests_before_middlewares"]] == [4]
    (by_view,) = [
        point
        for point in sent["django_http_responses_total_by_status_view_method_total"]
        if point["attributes"] == {"status": "200", "view": "item", "method": "GET"}
    ]
    assert by_view["value"] == 3
    (latency,) = [point for point in sent["django_http_requests_latency_seconds_by_view_method"] if point["attributes"]["view"] == "item"]
    assert (latency["count"], sum(latency["buckets"]), latency["bounds"][0]) == (3, 3, 0.01)
    assert [point["value"] for point in sent["django_db_execute"]] == [1]
    # How Prometheus spells what was sent: each a name of the page.
    spelled = set()
    for name, points in sent.items():
        if "bounds" in points[0]:
            spelled.update(series_names(Metric(name, Kind.HISTOGRAM, "", "x", (), (1.0,))))
        elif f"{name}_total" in answer["page"]:
            spelled.add(series_name(Metric(name, Kind.COUNTER, "", "x")))
        else:
            spelled.add(series_name(Metric(name, Kind.UP_DOWN_COUNTER, "", "x")))
    assert len(spelled) > 20
    assert spelled <= set(answer["page"])


def test_switched_off_it_stays_where_it_was(real):
    assert real({"metrics": {"django_prometheus": "off"}})["sent"] == {}


def test_beside_the_real_one_nothing_is_emulated_twice(real):
    answer = real(EMULATED)
    assert [point["value"] for point in answer["sent"]["django_http_requests_before_middlewares"]] == [4]


def test_emulated_names_are_names_that_django_prometheus_has(real):
    page = set(real({"metrics": {"django_prometheus": "off"}})["page"])
    names = [name for name, _, _ in (*REQUESTS, *EXCEPTIONS)] + [f"{name}_bucket" for name, _, _ in LATENCIES]
    assert sorted(set(names) - page) == []


def test_without_it_its_names_are_recorded_from_what_the_kit_counts():
    with capture(EMULATED) as telemetry:
        client = Client(raise_request_exception=False)
        for number in range(3):
            client.get(f"/items/{number}")
        client.generic("BREW", "/items/1")
        client.get("/boom")
        client.get("/queries/2")
        client.get("/nowhere")
        assert telemetry.point("django_http_requests_before_middlewares")["value"] == 7
        assert telemetry.point("django_http_requests_total_by_method_total", method="GET")["value"] == 6
        assert telemetry.point("django_http_requests_total_by_method_total", method="<invalid method>")["value"] == 1
        assert telemetry.point("django_http_responses_total_by_status_total", status="200")["value"] == 5
        missed = telemetry.point("django_http_responses_total_by_status_view_method_total", status="404", view="unmatched", method="GET")
        assert missed["value"] == 1
        latency = telemetry.point("django_http_requests_latency_seconds_by_view_method", view="/items/{pk}", method="GET")
        assert (latency["count"], sum(latency["buckets"])) == (3, 3)
        assert telemetry.point("django_http_requests_latency_including_middlewares_seconds")["count"] == 7
        assert telemetry.point("django_http_exceptions_total_by_view_total", view="/boom")["value"] == 1
        assert telemetry.point("django_db_execute", alias="default", vendor="sqlite")["value"] == 3
        assert telemetry.point("django_db_query_duration_seconds", alias="default", vendor="sqlite")["count"] == 3


def test_a_scrape_shows_the_same_names():
    with capture({"metrics": {"exporters": ["otlp", "prometheus"], "django_prometheus": "emulate"}}):
        Client().get("/items/1")
        page = Client().get("/metrics").content.decode()
    (line,) = [text for text in page.splitlines() if text.startswith("django_http_responses_total_by_status_view_method_total{")]
    assert line.endswith(" 1.0")
    assert 'view="/items/{pk}"' in line
    assert "django_http_requests_before_middlewares_total{" in page
    assert "django_http_requests_latency_including_middlewares_seconds_bucket{" in page


def test_nobody_who_has_not_asked_gets_these_names():
    """A25, A26."""
    with capture() as telemetry:
        Client().get("/items/1")
        assert [name for name in telemetry.metrics if name.startswith("django_")] == []
    with capture(EMULATED):
        pass
    with capture() as telemetry:
        Client().get("/items/1")
        assert [name for name in telemetry.metrics if name.startswith("django_")] == []


def test_a_collector_that_raises_costs_only_its_own_metrics(monkeypatch, caplog):
    """B6."""
    from otelkit.metrics import django_prometheus_names

    monkeypatch.setattr(django_prometheus_names, "_aliases", lambda: 1 / 0)
    with capture(EMULATED) as telemetry:
        Client().get("/items/1")
        assert telemetry.metrics["http.server.request.duration"]
    assert "The metrics of django-prometheus could not be read this time." in caplog.text


def test_families_of_every_kind_are_read_from_a_registry(monkeypatch):
    monkeypatch.setitem(sys.modules, "django_prometheus", sys)
    registry = CollectorRegistry()
    Counter("django_http_requests_total_by_method", "c", ["method"], registry=registry).labels("GET").inc(2)
    Gauge("django_migrations_unapplied_total", "g", ["connection"], registry=registry).labels("default").set(3)
    Histogram("django_db_query_duration_seconds", "h", ["alias"], registry=registry, buckets=(0.1, 1)).labels("default").observe(0.5)
    Counter("shop_orders", "not its", registry=registry).inc()
    found = {each.series if isinstance(each, Numbers) else each.name: each for each in django_prometheus.exported(registry)}
    assert set(found) == {
        "django_http_requests_total_by_method_total",
        "django_migrations_unapplied_total",
        "django_db_query_duration_seconds",
    }
    histogram = found["django_db_query_duration_seconds"]
    assert isinstance(histogram, Histograms)
    assert (histogram.bounds, histogram.points) == ((0.1, 1.0), [({"alias": "default"}, (0, 1, 0), 0.5)])
    assert scope_of("x", []) == ()
