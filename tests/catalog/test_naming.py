"""Prometheus' spelling, computed and compared with what a real Prometheus stores."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler

from otelkit.catalog.ahead import AHEAD
from otelkit.catalog.labels import HTTP_ROUTE, PROMOTED
from otelkit.catalog.metrics import (
    BUILD_INFO,
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    METRICS,
    PROCESS_CPU_TIME,
    PROCESS_MEMORY_USAGE,
    TARGET_INFO,
    TRACES_SPAN_METRICS_CALLS,
    TRACES_SPAN_METRICS_DURATION,
    Kind,
    Metric,
)
from otelkit.catalog.naming import bound_text, family_name, label_name, series_name, series_names
from otelkit.config import load
from otelkit.export.encoder import encode_metrics
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.pull import Pull
from tests.backends import free_port, running_prometheus, wait_until

RESOURCE: dict[str, str | int] = {
    "service.name": "orders",
    "service.namespace": "shop",
    "service.instance.id": "host:0",
    **{label.name: "x" for label in PROMOTED if label.name not in ("service.name", "service.namespace", "service.instance.id")},
}


@pytest.mark.parametrize(
    ("metric", "series"),
    [
        (HTTP_SERVER_REQUEST_DURATION, "http_server_request_duration_seconds_count"),
        (HTTP_SERVER_ACTIVE_REQUESTS, "http_server_active_requests"),
        (ERRORS_CAPTURED, "errors_captured_total"),
        (PROCESS_CPU_TIME, "process_cpu_time_seconds_total"),
        (PROCESS_MEMORY_USAGE, "process_memory_usage_bytes"),
        (BUILD_INFO, "build_info"),
        (TARGET_INFO, "target_info"),
    ],
)
def test_a_metric_has_the_name_one_would_type(metric, series):
    assert series_name(metric) == series


def test_a_histogram_has_three_series_and_bounds_without_needless_digits():
    assert series_names(HTTP_SERVER_REQUEST_DURATION) == tuple(
        f"http_server_request_duration_seconds_{suffix}" for suffix in ("bucket", "count", "sum")
    )
    assert [bound_text(bound) for bound in (0.005, 0.5, 1.0, 10.0)] == ["0.005", "0.5", "1", "10"]


def test_labels_lose_their_dots():
    assert label_name(HTTP_ROUTE) == "http_route"


EVERY = (*METRICS, TRACES_SPAN_METRICS_CALLS, TRACES_SPAN_METRICS_DURATION, *AHEAD)
"""All that can arrive by OTLP, the names for later included."""


@pytest.fixture
def everything() -> Aggregator:
    """An aggregator that holds one series of every metric, with every label set."""
    aggregator = Aggregator(series_cap=2000)
    for metric in EVERY:
        values = tuple(label.values[0] if label.values else "x" for label in metric.labels)
        if metric.kind is Kind.HISTOGRAM:
            aggregator.histogram(metric).record(0.02, values)
        elif metric.kind in (Kind.COUNTER, Kind.UP_DOWN_COUNTER):
            aggregator.counter(metric).add(1, values)
        elif metric.kind is Kind.GAUGE:
            aggregator.gauge(metric).set(1, values)
        else:
            aggregator.observe(metric, lambda values=values: [(values, 1)])
    return aggregator


def expected_labels(metric: Metric) -> set[str]:
    return {label_name(label) for label in (*metric.labels, *PROMOTED)} | {"__name__", "instance", "job"}


@pytest.mark.backends
def test_prometheus_stores_what_otlp_brings_under_the_computed_names(tmp_path: Path, everything):
    with running_prometheus(tmp_path) as prometheus:
        body = encode_metrics(RESOURCE, everything.collect(), time.time_ns() - 10**9, time.time_ns())
        request = urllib.request.Request(
            f"{prometheus.otlp_endpoint}/v1/metrics", body, {"Content-Type": "application/x-protobuf"}, method="POST"
        )
        urllib.request.urlopen(request, timeout=10).close()
        stored = {series["__name__"] for series in prometheus.series('{service_name="orders"}')}
        assert stored == {name for metric in (*EVERY, TARGET_INFO) for name in series_names(metric)}
        for metric in EVERY:
            for name in series_names(metric):
                series = prometheus.series(f'{name}{{service_name="orders"}}')[0]
                assert set(series) - {"le"} == expected_labels(metric), name
                assert (series["job"], series["instance"]) == ("shop/orders", "host:0")
        bounds = {series["le"] for series in prometheus.series(f"{family_name(HTTP_SERVER_REQUEST_DURATION)}_bucket")}
        assert bounds == {bound_text(bound) for bound in HTTP_SERVER_REQUEST_DURATION.buckets} | {"+Inf"}


@pytest.mark.backends
def test_what_a_project_records_has_one_name_on_both_roads(tmp_path: Path):
    """Business metrics and OpenTelemetry's instruments of every kind and many units, pushed and scraped by one Prometheus."""
    from opentelemetry.metrics import get_meter

    from otelkit import metrics, startup

    meter = get_meter("tests.naming")
    port = free_port()
    with running_prometheus(tmp_path, scrape=[f"127.0.0.1:{port}"]) as prometheus:
        settings = {
            "service": {"name": "named", "namespace": "shop"},
            "metrics": {"exporters": ["otlp", "prometheus"], "port": port},
            "export": {"metrics_endpoint": f"{prometheus.otlp_endpoint}/v1/metrics"},
            "traces": {"exporters": []},
        }
        runtime = startup.start(load(settings, {}))
        try:
            metrics.counter("business.naming.orders", unit="{order}", help="Orders.").add()
            metrics.counter("business.naming.returns_total", unit="{item}", help="Orders.").add()
            metrics.gauge("business.naming.stock", unit="{piece}", help="Stock.").set(1)
            metrics.histogram("business.naming.wait", unit="s", help="Wait.").record(1)
            for number, unit in enumerate(["", "1", "s", "ms", "By", "MBy", "{thing}", "g", "%", "Cel", "By/s", "{thing}/h", "m/s"]):
                meter.create_counter(f"naming.{number}.counter", unit).add(1, {"a.b": "c", "d-e": 1})
                meter.create_up_down_counter(f"naming.{number}.both", unit).add(1)
                meter.create_gauge(f"naming.{number}.gauge", unit).set(1)
                meter.create_histogram(f"naming.{number}.histogram", unit).record(1)
            meter.create_counter("naming.sold.total").add(1)
            meter.create_gauge("naming.Mixed-Case.share", "1").set(1)
            assert runtime is not None
            runtime.exporter.flush(10)

            def seen(road: str) -> set[tuple[str, frozenset[str]]]:
                found = prometheus.series(f'{{service_name="named", job{road}"scraped"}}')
                ours = [series for series in found if "naming" in series["__name__"]]
                return {(series["__name__"], frozenset(series) - {"job", "instance"}) for series in ours}

            wait_until(lambda: seen("="), 20, "Prometheus has scraped nothing")
            pushed, scraped = seen("!="), seen("=")
            assert len({name for name, _ in pushed}) > 70
            assert {name for name, _ in scraped} == {name for name, _ in pushed}
            assert scraped == pushed
        finally:
            startup.stop()


@pytest.mark.backends
def test_prometheus_scrapes_the_same_names_from_the_pull_view(tmp_path: Path, everything):
    """Over both roads the same series and labels, so one set of boards serves both."""
    import threading

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """The test reads Prometheus, not this."""

    pull = Pull(load({}, {}).metrics, everything, RESOURCE)
    pull.start()
    pull.begin(RESOURCE, 0)
    server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with running_prometheus(tmp_path, scrape=[f"127.0.0.1:{server.server_port}"]) as prometheus:
            ours = '{service_name="orders"}'
            wanted = {name for metric in (*EVERY, TARGET_INFO) for name in series_names(metric)}
            wait_until(lambda: prometheus.series(ours), 20, "Prometheus has scraped nothing")
            stored = {series["__name__"] for series in prometheus.series(ours)}
            assert stored == wanted
            for metric in EVERY:
                for name in series_names(metric):
                    series = prometheus.series(f"{name}{ours}")[0]
                    assert set(series) - {"le"} == expected_labels(metric), name
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        pull.stop()
