"""Series that are looked up are the ones that would be made: an exporter's second request says what its first one said."""

from __future__ import annotations

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint

from otelkit_stack.receiver import known_series
from otelkit_stack.receiver.known_series import KnownSeries
from otelkit_stack.receiver.metrics import read_metrics
from otelkit_stack.rows import Batch
from tests.stack.otlp_requests import key_values, metrics

VALUES = ("1", 1, 1.0, True, "true", "", [1, "a"], {"k": 1}, b"\x01")
"""Several are equal in Python, and no two as they are sent."""
POINTS = [
    NumberDataPoint(time_unix_nano=10**18 + place, as_int=place, attributes=key_values({"a": value})) for place, value in enumerate(VALUES)
]
BOUNDS = (0.0, -0.0, 0.5, 1e9)
REQUEST = metrics(
    Metric(name="one", gauge=Gauge(data_points=POINTS)),
    Metric(name="other", gauge=Gauge(data_points=POINTS)),
    Metric(
        name="many",
        histogram=Histogram(
            aggregation_temporality=2,
            data_points=[
                HistogramDataPoint(time_unix_nano=10**18, count=3, sum=1.0, explicit_bounds=[bound], bucket_counts=[1, 2])
                for bound in BOUNDS
            ],
        ),
    ),
)


def everything(batch: Batch) -> tuple[object, ...]:
    return batch.series, batch.samples


def test_what_is_known_already_is_read_the_same() -> None:
    fresh, _ = read_metrics(REQUEST)
    known = KnownSeries()
    for _ in range(3):
        batch, _ = read_metrics(REQUEST, known)
        assert everything(batch) == everything(fresh)


def test_the_same_points_of_another_resource_are_other_series() -> None:
    known = KnownSeries()
    one, _ = read_metrics(REQUEST, known)
    other, _ = read_metrics(metrics(*REQUEST.resource_metrics[0].scope_metrics[0].metrics, resource={"service.name": "other"}), known)
    assert not one.series.keys() & other.series.keys()


def test_more_series_than_are_remembered_are_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, _ = read_metrics(REQUEST)
    monkeypatch.setattr(known_series, "MOST_SERIES", 3)
    known = KnownSeries()
    for _ in range(2):
        batch, _ = read_metrics(REQUEST, known)
        assert everything(batch) == everything(fresh)
    assert len(known._points) <= 4


def test_resources_that_send_nothing_are_forgotten_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_series, "MOST_SERIES", 3)
    known = KnownSeries()
    for number in range(20):
        read_metrics(metrics(resource={"service.name": f"{number}"}), known)
    assert len(known._points) <= 4
