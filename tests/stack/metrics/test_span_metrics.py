"""Metrics of spans, made on arrival: the Collector's names, labels and numbers, and counts that go on after a kill."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otelkit.catalog import span_metrics as facts
from otelkit_stack.intake import Intake
from otelkit_stack.metrics import span_metrics
from otelkit_stack.queries import Queries
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.store import Store
from otelkit_stack.testing import RunningStack, running_stack
from tests.backends import free_port, program, running_program, wait_until
from tests.compose.stack_files import config
from tests.stack.otlp_requests import PROTOBUF, key_values, span, traces

COUNT = f"{facts.DURATION}_count"
NOW = time.time_ns()


def requests(count: int, **attributes: object) -> list[Span]:
    """SERVER spans of 30 ms each, with ids of their own."""
    made = []
    for number in range(count):
        one = span(f"{number + 1:016x}", trace_id=f"{number + 1:032x}", start_ns=NOW, duration_s=0.03)
        del one.attributes[:]
        one.attributes.extend(key_values({"http.request.method": "GET", "http.route": "/orders/{pk}", **attributes}))
        made.append(one)
    return made


def test_each_request_is_counted_in_its_bucket_under_the_labels_of_its_service_not_of_its_worker(tmp_path: Path):
    with running_stack(tmp_path) as stack:
        stack.intake.take(read_traces(traces(*requests(3)))[0])
        stack.intake.write_span_metrics()
        stack.flush()
        (calls,) = stack.queries.series(facts.CALLS)
        assert calls.labels == {
            "http_request_method": "GET",
            "http_route": "/orders/{pk}",
            "job": "shop/orders",
            "service_name": "orders",
            "service_namespace": "shop",
            "span_kind": "SPAN_KIND_SERVER",
            "span_name": "GET /orders/{pk}",
            "status_code": "STATUS_CODE_UNSET",
        }
        (_, before), (_, after) = calls.samples  # a zero first, as the Collector does, or a rate would never see the first calls
        assert (before, after) == (0.0, 3.0)
        buckets = {series.labels["le"]: series.samples[-1][1] for series in stack.queries.series(f"{facts.DURATION}_bucket")}
        assert (buckets["0.025"], buckets["0.05"], buckets["+Inf"]) == (0.0, 3.0, 3.0)
        (seconds,) = stack.queries.series(f"{facts.DURATION}_sum")
        assert seconds.samples[-1][1] == pytest.approx(0.09)


def test_an_exemplar_of_the_bucket_leads_to_the_trace(tmp_path: Path):
    with running_stack(tmp_path) as stack:
        stack.intake.take(read_traces(traces(*requests(20)))[0])
        stack.intake.write_span_metrics()
        stack.flush()
        exemplars = stack.queries.exemplars(f"{facts.DURATION}_bucket")
        assert len(exemplars) == facts.EXEMPLARS_PER_POINT
        assert {exemplar.labels["le"] for exemplar in exemplars} == {"0.05"}
        assert stack.queries.trace(str(exemplars[0].trace_id)) is not None


def test_counts_go_on_where_an_earlier_run_stood(tmp_path: Path):
    """A counter that began at zero again would look like a reset at each restart, and a killed stack says no goodbye."""
    for run in (1, 2, 3):
        with Store(tmp_path, retention_s=None) as store, Queries(tmp_path) as queries, Intake(store, interval_s=3600) as intake:
            intake.take(read_traces(traces(*requests(4)))[0])
            intake.write_span_metrics()
            store.flush()
            for name in (facts.CALLS, COUNT):
                (series,) = queries.series(name)
                assert series.samples[-1][1] == 4.0 * run
            buckets = {series.labels["le"]: series.samples[-1][1] for series in queries.series(f"{facts.DURATION}_bucket")}
            assert (buckets["0.025"], buckets["0.05"], buckets["+Inf"]) == (0.0, 4.0 * run, 4.0 * run)


def test_a_series_without_spans_ends_and_one_beyond_the_cap_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A11: names that never end fill one series, marked as what it is."""
    monkeypatch.setattr(span_metrics, "MOST_SERIES", 10)
    counting = span_metrics.SpanMetrics()
    for number in range(100):
        counting.add(read_traces(traces(*requests(1, **{"http.route": f"/{number}"})))[0], NOW)
    batch = counting.collect(NOW)
    names = [row.labels for row in batch.series.values() if row.name == facts.CALLS]
    assert len(names) == 11
    assert sum('"otel_metric_overflow":"true"' in labels for labels in names) == 1
    values = {sample.series_id: sample.value for sample in batch.samples}
    assert sum(values[row.id] for row in batch.series.values() if row.name == facts.CALLS) == 100
    assert not counting.collect(NOW + int((facts.EXPIRES_AFTER_S + 1) * 1e9)).series


def test_the_collector_is_told_the_same_facts():
    """Dimensions and buckets are compared with the metrics' own labels and buckets in tests/compose."""
    connector = config("collector/config.yaml")["connectors"]["span_metrics"]
    assert connector["resource_metrics_key_attributes"] == list(facts.RESOURCE_KEYS)
    assert connector["exemplars"]["max_per_data_point"] == facts.EXEMPLARS_PER_POINT
    assert connector["aggregation_cardinality_limit"] == facts.MOST_SERIES
    assert (connector["metrics_flush_interval"], connector["series_expiration"]) == ("15s", "15m")


@pytest.mark.backends
def test_a_real_collector_makes_the_same_series_with_the_same_numbers(tmp_path: Path):
    """The same spans to the connector as it is configured in compose, and to the stack."""
    spans = [
        *requests(5),
        *(span(f"{number:016x}", trace_id=f"{number:032x}", start_ns=NOW, duration_s=number / 100) for number in range(100, 130)),
    ]
    for number, one in enumerate(spans):
        one.kind = number % 6
        one.status.code = (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR)[number % 3]
        one.attributes.extend(key_values({"db.system.name": "postgresql"} if number % 2 else {"service.peer.name": "inventory"}))
    request = traces(*spans)
    with running_stack(tmp_path / "ours") as ours, running_stack(tmp_path / "theirs") as theirs:
        ours.intake.take(read_traces(request)[0])
        ours.intake.write_span_metrics()
        ours.flush()
        port, health = free_port(), free_port()
        file = tmp_path / "collector.yaml"
        file.write_text(yaml.safe_dump(_collector(port, health, theirs.endpoint)))
        with running_program([program("otelcol-contrib"), "--config", str(file)], tmp_path / "collector.log", f"http://127.0.0.1:{health}"):
            url = f"http://127.0.0.1:{port}/v1/traces"
            httpx.post(url, content=request.SerializeToString(), headers={"Content-Type": PROTOBUF}).raise_for_status()
            # It says zero first, so that a rate sees the first calls.
            wait_until(lambda: sum(_values(theirs, facts.CALLS).values()) == len(spans), 30, "the Collector counted no spans")
        theirs.flush()
        for name in span_metrics.NAMES:
            assert _values(ours, name) == pytest.approx(_values(theirs, name)), name


def _collector(port: int, health: int, endpoint: str) -> dict[str, Any]:
    shipped = copy.deepcopy(config("collector/config.yaml"))
    connector = shipped["connectors"]["span_metrics"] | {"metrics_flush_interval": "1s"}
    return {
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "connectors": {"span_metrics": connector},
        "processors": {"transform/red_resource": shipped["processors"]["transform/red_resource"]},
        "exporters": {"otlp_http": {"endpoint": endpoint, "tls": {"insecure": True}}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "traces": {"receivers": ["otlp"], "exporters": ["span_metrics"]},
                "metrics": {"receivers": ["span_metrics"], "processors": ["transform/red_resource"], "exporters": ["otlp_http"]},
            },
        },
    }


def _values(stack: RunningStack, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {tuple(sorted(series.labels.items())): series.samples[-1][1] for series in stack.queries.series(name)}
