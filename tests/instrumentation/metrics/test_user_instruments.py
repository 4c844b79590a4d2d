"""What a project records through the OpenTelemetry metrics API leaves in the same request as our own metrics."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otelkit.export import user_metrics
from otelkit.metrics import user_instruments
from otelkit.testing import capture
from tests.instrumentation.logs.hostile import HOSTILE

METER = metrics.get_meter("tests.shop", "1.2")  # before any provider is set: at import, as projects do
SOLD = METER.create_counter("tests.sold", unit="{piece}", description="Pieces sold.")
WEIGHT = METER.create_histogram("tests.weight", unit="g", explicit_bucket_boundaries_advisory=[10, 100])
SHELF = METER.create_up_down_counter("tests.shelf", unit="{piece}")


def read_temperature(options: CallbackOptions) -> Iterable[Observation]:
    yield Observation(21.5, {"room": "cellar"})


METER.create_observable_gauge("tests.temperature", [read_temperature], unit="Cel")
SENSOR = {"is broken": False}


def read_sensor(options: CallbackOptions) -> Iterable[Observation]:
    if SENSOR["is broken"]:
        raise RuntimeError("no sensor")
    yield Observation(1)


METER.create_observable_gauge("tests.sensor", [read_sensor])


def test_counters_histograms_and_observables_arrive_beside_ours():
    with capture() as telemetry:
        SOLD.add(2, {"kind": "book"})
        SOLD.add(3, {"kind": "book"})
        SHELF.add(-5)
        WEIGHT.record(10)
        WEIGHT.record(11)
        found = telemetry.metrics
        (request,) = {
            bytes(body) for body in telemetry._sender.of("metrics") if b"tests.sold" in body and b"process.cpu.time" in body
        }  # one request, not one each
    assert found["tests.sold"] == [{"attributes": {"kind": "book"}, "value": 5}]
    assert found["tests.shelf"] == [{"attributes": {}, "value": -5}]
    assert found["tests.temperature"] == [{"attributes": {"room": "cellar"}, "value": 21.5}]
    assert (found["tests.weight"][0]["bounds"], found["tests.weight"][0]["buckets"]) == ([10, 100], [1, 1, 0])
    message = ExportMetricsServiceRequest.FromString(request)
    resources = [resource.resource.SerializeToString(deterministic=True) for resource in message.resource_metrics]
    assert resources[0] == resources[1], "both parts say the same about who they are"
    scopes = {(scope.scope.name, scope.scope.version) for resource in message.resource_metrics for scope in resource.scope_metrics}
    assert ("tests.shop", "1.2") in scopes


HOSTILE_SOLD = METER.create_counter("tests.hostile.sold")
HOSTILE_WEIGHT = METER.create_histogram("tests.hostile.weight")
HOSTILE_LEVEL = METER.create_gauge("tests.hostile.level")
LEVELS: list[Any] = []
METER.create_observable_gauge("tests.hostile.observed", [lambda _: [Observation(1, {"value": value}) for value in LEVELS]])


@pytest.mark.parametrize("name", HOSTILE)
def test_any_value_may_be_a_label_of_the_projects_own_instruments(name):
    """B5: the SDK hashes and compares labels in the request."""
    value = HOSTILE[name]
    with capture() as telemetry:
        for measure in (HOSTILE_SOLD.add, HOSTILE_WEIGHT.record, HOSTILE_LEVEL.set):
            measure(1, {"value": value, "inner": [value]})
            measure(1, value)
            measure(value)
        LEVELS[:] = [value]
        SOLD.add(1)
        found = telemetry.metrics
        LEVELS.clear()
    assert found["tests.sold"] == [{"attributes": {}, "value": 1}], "and costs no other measurement"
    for kind in ("sold", "weight", "level"):
        assert {"value", "inner"} in [point["attributes"].keys() for point in found[f"tests.hostile.{kind}"]]


def test_a_measurement_that_is_no_number_is_said_once(caplog):
    counter = metrics.get_meter("tests.shop").create_counter("tests.no.number")
    assert counter is metrics.get_meter("tests.shop").create_counter("tests.no.number"), "guarded twice is guarded once"
    with capture():
        for _ in range(3):
            counter.add("many")  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records if "tests.no.number" in record.getMessage()] == [
        "A measurement of tests.no.number was not taken; the code that made it goes on. (said once)"
    ]


def test_an_exemplar_names_the_span():
    with capture() as telemetry:
        with trace.get_tracer("tests").start_as_current_span("packing"):
            WEIGHT.record(50)
        (exemplar,) = telemetry.metrics["tests.weight"][0]["exemplars"]
        assert exemplar["span_id"] == telemetry.span("packing")["span_id"]


def test_values_of_one_run_are_not_seen_by_the_next():
    """A26: stop() forgets them, and between two runs nothing is kept."""
    with capture() as telemetry:
        SOLD.add(1)
        assert telemetry.point("tests.sold")["value"] == 1
    SOLD.add(100)
    with capture() as telemetry:
        SOLD.add(2)
        assert telemetry.point("tests.sold")["value"] == 2
    assert user_instruments.read() == ()


@pytest.mark.skipif(not user_instruments._HAS_LIMITS, reason="opentelemetry-sdk caps series from 1.45.2; before, the start line says so")
def test_ten_thousand_attribute_sets_stay_below_the_cap_and_overflow_is_counted():
    """A11. A sum does not tell how many measurements overflowed, so one is counted for each export in which it moved."""
    with capture({"metrics": {"series_cap": 50}}) as telemetry:
        for number in range(10_000):
            SOLD.add(1, {"order": number})
            WEIGHT.record(1, {"order": number})
        found = telemetry.metrics
        assert (len(found["tests.sold"]), len(found["tests.weight"])) == (51, 51)
        assert telemetry.point("tests.sold", otel_metric_overflow=True)["value"] == 9_950
        overflowed = {point["attributes"]["metric"]: point["value"] for point in telemetry.metrics["otelkit.series.overflowed"]}
        assert overflowed["tests.weight"] == 9_950
        assert overflowed["tests.sold"] >= 1


def test_the_points_are_in_the_books():
    """B2: created == exported + dropped + queued, with the project's points among them."""
    with capture() as telemetry:
        account = telemetry.runtime.exporter.accounts.of["metrics"]
        telemetry.flush()
        without = account.totals()
        telemetry.flush()
        ours = account.totals()[0] - without[0]
        SOLD.add(1)
        WEIGHT.record(1, {"a": 1})
        before = account.totals()
        telemetry.flush()
        created, exported, dropped, queued = account.totals()
    assert created - before[0] >= ours + 2
    assert created == exported + sum(dropped.values()) + queued


def test_points_that_cannot_be_encoded_cost_only_themselves(monkeypatch, caplog):
    """B6."""
    with capture() as telemetry:
        monkeypatch.setattr("otelkit.export.exporter.encode_user_metrics", lambda *_: 1 / 0)
        SOLD.add(1)
        found = telemetry.metrics
        created, exported, dropped, queued = telemetry.runtime.exporter.accounts.of["metrics"].totals()
    assert "process.cpu.time" in found
    assert "tests.sold" not in found
    assert dropped["unencodable"] > 0
    assert created == exported + sum(dropped.values()) + queued


def test_a_callback_that_raises_costs_only_its_own_metric(monkeypatch, caplog):
    """B6."""
    monkeypatch.setitem(SENSOR, "is broken", True)
    with capture() as telemetry:
        SOLD.add(1)
        found = telemetry.metrics
    assert found["tests.sold"][0]["value"] == 1
    assert "tests.sensor" not in found


def test_no_secret_leaves_in_an_attribute():
    """C1."""
    with capture({"metrics": {"exporters": ["otlp", "prometheus"]}}) as telemetry:
        SOLD.add(1, {"api_key": "hunter2", "url": "https://shop.example/?token=hunter2", "note": "password=hunter2"})
        assert telemetry.metrics["tests.sold"][0]["attributes"]["api_key"] == "[REDACTED]"
        assert "hunter2" not in str(telemetry.metrics)
        assert b"hunter2" not in Client().get("/metrics").content


def test_metrics_pull_serves_them_too():
    with capture({"metrics": {"exporters": ["prometheus"]}, "service": {"name": "shop"}}):
        SOLD.add(2, {"kind": "book"})
        WEIGHT.record(11)
        page = Client().get("/metrics").content.decode().splitlines()
    sold = [line for line in page if line.startswith("tests_sold_total{")]
    assert len(sold) == 1
    assert sold[0].endswith(" 2.0")
    assert 'kind="book"' in sold[0]
    assert 'service_name="shop"' in sold[0]
    assert [line[-4:] for line in page if line.startswith("tests_weight_grams_bucket{") and 'le="100.0"' in line] == [" 1.0"]
    assert [line[-5:] for line in page if line.startswith("tests_temperature_celsius{")] == [" 21.5"]


def test_the_encoding_is_the_sdks_own(monkeypatch):
    """Message for message what opentelemetry-exporter-otlp-proto-common writes, resource aside."""
    encoder = pytest.importorskip("opentelemetry.exporter.otlp.proto.common.metrics_encoder")
    from opentelemetry.sdk.metrics import Histogram, MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
    from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource

    reader = InMemoryMetricReader()
    views = [View(instrument_type=Histogram, instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())]
    provider = MeterProvider([reader], Resource({"service.name": "shop"}), shutdown_on_exit=False, views=views)
    meter = provider.get_meter("shop", "1.0", "https://example.org/schema", {"part": "till"})
    with capture(), trace.get_tracer("tests").start_as_current_span("sampled"):
        meter.create_counter("whole").add(3, {"text": "é", "flag": True, "number": 7, "ratio": 0.5, "list": ["a", "b"]})
        meter.create_counter("broken").add(1.5)
        meter.create_up_down_counter("both").add(-2)
        meter.create_gauge("level").set(0.25, {"a": "b"})
        for value in (0.0, 1.0, 250.0, -3.0):
            meter.create_histogram("explicit", unit="ms", description="Words.").record(value, {"route": "/"})
            meter.create_histogram("exponential").record(value)
    data = reader.get_metrics_data()
    assert isinstance(data, MetricsData)
    wanted = encoder.encode_metrics(data)
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
    got = ExportMetricsServiceRequest.FromString(user_metrics.encode_user_metrics({"service.name": "shop"}, scopes))
    assert user_metrics.count_points(scopes) == 6
    assert got.resource_metrics[0].scope_metrics == wanted.resource_metrics[0].scope_metrics


def test_a_forked_worker_starts_from_nothing_and_deadlocks_on_nothing():
    """B7: forty forks while another thread reads and records as fast as it can."""
    program = """
        import os, threading
        from opentelemetry import metrics
        from otelkit.metrics import user_instruments

        user_instruments.switch_on(100, lambda name, measurements: None)
        sold = metrics.get_meter("shop").create_counter("sold")
        metrics.get_meter("shop").create_observable_gauge("level", [lambda options: [metrics.Observation(1)]])
        sold.add(1000)
        done = threading.Event()

        def busy():
            while not done.is_set():
                user_instruments.read()
                sold.add(1)

        thread = threading.Thread(target=busy)
        thread.start()
        statuses = []
        for _ in range(40):
            pid = os.fork()
            if pid == 0:
                sold.add(3)
                points = [p.value for s in user_instruments.read() for m in s.metrics if m.name == "sold" for p in m.data.data_points]
                os._exit(0 if points == [3] else 1)
            statuses.append(os.waitpid(pid, 0)[1])
        done.set()
        thread.join()
        assert statuses == [0] * 40, statuses
    """
    assert run(program) == ""


def test_the_projects_own_provider_is_kept_and_read_as_well():
    """A4's rule for metrics: the project's reader goes on, ours joins, and goes again with stop()."""
    program = """
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        theirs = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider([theirs]))
        from otelkit.metrics import user_instruments

        said = user_instruments.switch_on(100, lambda name, measurements: None)
        assert said.startswith("the project's own meter provider, which our reader joined"), said
        metrics.get_meter("shop").create_counter("sold").add(3)
        read = [p.value for s in user_instruments.read() for m in s.metrics for p in m.data.data_points]
        assert read == [3], read
        user_instruments.switch_off()
        metrics.get_meter("shop").create_counter("sold").add(3)
        data = theirs.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0].value
        assert data == 6, data
        assert user_instruments.read() == ()
    """
    assert run(program) == ""


def test_a_provider_that_is_not_the_sdks_is_left_alone():
    program = """
        from opentelemetry import metrics

        metrics.set_meter_provider(metrics.NoOpMeterProvider())
        from otelkit.metrics import user_instruments

        said = user_instruments.switch_on(100, lambda name, measurements: None)
        assert said == "the project's NoOpMeterProvider, which otelkit cannot read", said
        assert user_instruments.read() == ()
        user_instruments.switch_off()
    """
    assert run(program) == ""


def run(program: str) -> str:
    """Runs it in an interpreter of its own, whose global provider nobody has set; what it complained about."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr if done.returncode else ""
