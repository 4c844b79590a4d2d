"""OTLP names become Prometheus names, for the catalogue's metrics and for anybody's."""

from __future__ import annotations

import math

import pytest

from otelkit.catalog import labels as catalog_labels
from otelkit.catalog import naming
from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import METRICS, Kind, Metric
from otelkit_stack.prometheus_naming import MetricType, bound_text, label_name, label_value, metric_name

TYPES = {
    Kind.COUNTER: MetricType.COUNTER,
    Kind.UP_DOWN_COUNTER: MetricType.UP_DOWN_COUNTER,
    Kind.GAUGE: MetricType.GAUGE,
    Kind.INFO: MetricType.GAUGE,
    Kind.HISTOGRAM: MetricType.HISTOGRAM,
}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_is_spelled_as_the_catalogue_says(metric: Metric):
    name = metric_name(metric.name, metric.unit, TYPES[metric.kind])
    suffixes = ("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",)
    assert tuple(name + suffix for suffix in suffixes) == naming.series_names(metric)
    assert [bound_text(bound) for bound in metric.buckets] == [naming.bound_text(bound) for bound in metric.buckets]


def test_every_label_of_the_catalogue_is_spelled_as_the_catalogue_says():
    labels = [value for value in vars(catalog_labels).values() if isinstance(value, Label)]
    assert labels
    assert [label_name(label.name) for label in labels] == [naming.label_name(label) for label in labels]


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.server.request.duration", "s", MetricType.HISTOGRAM, "http_server_request_duration_seconds"),
        ("request.duration.seconds", "s", MetricType.HISTOGRAM, "request_duration_seconds"),
        ("jobs", "{job}", MetricType.COUNTER, "jobs_total"),
        ("jobs.total", "1", MetricType.COUNTER, "jobs_total"),
        ("total.jobs", "", MetricType.COUNTER, "jobs_total"),
        ("disk.usage", "1", MetricType.GAUGE, "disk_usage_ratio"),
        ("disk.usage", "1", MetricType.UP_DOWN_COUNTER, "disk_usage"),
        ("ratio.of.things", "1", MetricType.GAUGE, "of_things_ratio"),
        ("disk.io", "By/s", MetricType.GAUGE, "disk_io_bytes_per_second"),
        ("disk.io", "By", MetricType.COUNTER, "disk_io_bytes_total"),
        ("speed", "m/s", MetricType.GAUGE, "speed_meters_per_second"),
        ("events", "{event}/s", MetricType.GAUGE, "events_per_second"),
        ("load", "%", MetricType.GAUGE, "load_percent"),
        ("warmth", "Cel", MetricType.GAUGE, "warmth_celsius"),
        ("odd", "foo/bar", MetricType.GAUGE, "odd_foo_per_bar"),
        ("odd", "f-o__o", MetricType.GAUGE, "odd_f_o_o"),
        ("memory", " MiBy ", MetricType.GAUGE, "memory_mebibytes"),
        ("2xx", "", MetricType.GAUGE, "_2xx"),
        ("a:b", "", MetricType.GAUGE, "a:b"),
        ("__weird--name__", "", MetricType.GAUGE, "weird_name"),
        ("größe", "", MetricType.GAUGE, "gr_e"),
        ("", "s", MetricType.GAUGE, "seconds"),
    ],
)
def test_any_metric_is_spelled_as_prometheus_spells_it(name: str, unit: str, kind: MetricType, expected: str):
    assert metric_name(name, unit, kind) == expected


@pytest.mark.parametrize("name", ["", "...", "_", "ü"])
def test_a_metric_of_whose_name_nothing_remains_is_refused(name: str):
    with pytest.raises(ValueError, match="no letter or digit"):
        metric_name(name, "", MetricType.GAUGE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http.route", "http_route"),
        ("a..b", "a__b"),
        ("1st", "key_1st"),
        ("_private", "key_private"),
        ("__reserved", "__reserved"),
        ("ü.x", "__x"),
        ("_.x", "__x"),
        ("with:colon", "with_colon"),
    ],
)
def test_an_attribute_is_spelled_as_prometheus_spells_it(name: str, expected: str):
    assert label_name(name) == expected


@pytest.mark.parametrize("name", ["", "..", "__"])
def test_an_attribute_of_whose_name_nothing_remains_is_refused(name: str):
    with pytest.raises(ValueError, match=r"no name|no letter or digit"):
        label_name(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (True, "true"),
        (500, "500"),
        (0.5, "0.5"),
        (1.0, "1"),
        (-0.0, "-0"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (0.000001, "0.000001"),
        (1e20, "100000000000000000000"),
        (1.25e21, "1.25e+21"),
        (math.inf, "Infinity"),
        (None, ""),
        (["a", 1, {"k": "<&>"}], '["a",1,{"k":"<&>"}]'),
    ],
)
def test_an_attribute_value_is_written_as_prometheus_writes_it(value: object, expected: str):
    assert label_value(value) == expected


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (0.5, "0.5"),
        (1.0, "1"),
        (100.0, "100"),
        (1e-7, "0.0000001"),
        (1e21, "1" + "0" * 21),
        (0.1 + 0.2, "0.30000000000000004"),
        (math.inf, "+Inf"),
    ],
)
def test_a_bound_is_its_shortest_digits_without_an_exponent(bound: float, expected: str):
    assert bound_text(bound) == expected
