"""``/metrics``: valid exposition, both formats, the project's own metrics beside ours."""

from __future__ import annotations

from django.test import Client
from prometheus_client import REGISTRY, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otelkit.testing import capture

PULL = {"metrics": {"exporters": ["prometheus", "otlp"]}, "service": {"name": "orders"}}


def test_the_text_format_shows_requests_with_the_names_of_the_catalogue():
    with capture(PULL):
        Client().get("/items/1")
        answer = Client().get("/metrics")
    families = {family.name: family for family in parse_text(answer.content.decode())}
    duration = families["http_server_request_duration_seconds"]
    counts = [sample for sample in duration.samples if sample.name.endswith("_count")]
    assert [(sample.labels["http_route"], sample.labels["service_name"], sample.value) for sample in counts] == [
        ("/items/{pk}", "orders", 1)
    ]
    buckets = [sample.value for sample in duration.samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 1
    assert families["target_info"].samples[0].labels["service_name"] == "orders"


def test_openmetrics_carries_the_exemplar():
    with capture(PULL) as telemetry:
        Client().get("/items/1")
        answer = Client().get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
        span = telemetry.span("GET /items/{pk}")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    exemplars = [
        sample.exemplar
        for family in parse_openmetrics(answer.content.decode())
        for sample in family.samples
        if sample.exemplar and family.name == "http_server_request_duration_seconds"
    ]
    assert [exemplar.labels for exemplar in exemplars] == [{"trace_id": span["trace_id"], "span_id": span["span_id"]}]


def test_the_projects_own_metrics_are_there_too():
    mine = Counter("shop_orders", "Orders.")
    try:
        with capture(PULL):
            mine.inc(3)
            assert b"shop_orders_total 3.0" in Client().get("/metrics").content
    finally:
        REGISTRY.unregister(mine)


def test_after_stop_the_registry_is_as_it_was():
    """A26."""
    with capture(PULL):
        Client().get("/items/1")
    assert b"http_server_request_duration" not in Client().get("/metrics").content
