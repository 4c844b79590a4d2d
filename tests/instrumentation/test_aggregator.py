"""The aggregator: right sums, right buckets, and never more series than the cap."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from otelkit.catalog.metrics import (
    DJANGO_REQUEST_DB_QUERIES,
    DJANGO_REQUEST_PHASE_DURATION,
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    SERIES_OVERFLOWED,
)
from otelkit.metrics.aggregator import OVERFLOW, Aggregator

LABELS = ("GET", "/", 200, "http", None)


def snapshot(aggregator, metric, **options):
    return next(found for found in aggregator.collect(**options) if found.metric is metric)


def test_a_value_on_a_bound_belongs_to_that_bound():
    """Bounds are inclusive, in OpenTelemetry and in Prometheus."""
    aggregator = Aggregator(series_cap=100)
    histogram = aggregator.histogram(DJANGO_REQUEST_DB_QUERIES)
    for value in (1, 2, 2, 3, 200, 201):
        histogram.record(value, ("/",))
    (point,) = snapshot(aggregator, DJANGO_REQUEST_DB_QUERIES).histograms
    assert point.counts == (1, 2, 1, 0, 0, 0, 0, 1, 1)
    assert point.sum == 409


def test_threads_lose_no_measurement():
    aggregator = Aggregator(series_cap=100)
    histogram, counter = aggregator.histogram(HTTP_SERVER_REQUEST_DURATION), aggregator.counter(HTTP_SERVER_ACTIVE_REQUESTS)

    def work():
        for _ in range(5_000):
            histogram.record(0.2, LABELS)
            counter.add(1, ("GET", "http"))
            counter.add(-1, ("GET", "http"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(snapshot(aggregator, HTTP_SERVER_REQUEST_DURATION).histograms[0].counts) == 40_000
    assert snapshot(aggregator, HTTP_SERVER_ACTIVE_REQUESTS).numbers[0].value == 0


@pytest.mark.parametrize("metric", [HTTP_SERVER_REQUEST_DURATION, ERRORS_CAPTURED])
def test_series_stay_below_the_cap_and_overflow_is_counted(metric):
    """A11: 10,000 random label sets."""
    aggregator = Aggregator(series_cap=50)
    for number in range(10_000):
        if metric is ERRORS_CAPTURED:
            aggregator.counter(metric).add(1, (f"Error{number}", "/", False, None))
        else:
            aggregator.histogram(metric).record(0.1, ("GET", f"/{number}", 200, "http", None))
    found = snapshot(aggregator, metric)
    assert found.points == 51
    assert OVERFLOW in [point.labels for point in (*found.numbers, *found.histograms)]
    (overflowed,) = snapshot(aggregator, SERIES_OVERFLOWED).numbers
    assert (overflowed.labels, overflowed.value) == ((metric.name,), 9_950)


def test_observations_recorded_together_are_the_same_as_one_by_one():
    together, singly = Aggregator(series_cap=3), Aggregator(series_cap=3)
    observations = [(0.1 * number, ("/", f"phase {number % 5}")) for number in range(20)]
    together.histogram(DJANGO_REQUEST_PHASE_DURATION).record_all(observations)
    for value, labels in observations:
        singly.histogram(DJANGO_REQUEST_PHASE_DURATION).record(value, labels)
    assert together.collect() == singly.collect()
    assert snapshot(together, SERIES_OVERFLOWED).numbers[0].value == 8


def test_only_sampled_spans_become_exemplars_and_each_is_handed_out_once():
    aggregator = Aggregator(series_cap=100)
    histogram = aggregator.histogram(HTTP_SERVER_REQUEST_DURATION)
    histogram.record(0.2, LABELS, SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(0)))
    histogram.record(0.3, LABELS, SpanContext(3, 4, is_remote=False, trace_flags=TraceFlags(1)))
    (exemplar,) = snapshot(aggregator, HTTP_SERVER_REQUEST_DURATION, forget_exemplars=True).histograms[0].exemplars
    assert (exemplar.value, exemplar.trace_id, exemplar.span_id) == (0.3, 3, 4)
    assert snapshot(aggregator, HTTP_SERVER_REQUEST_DURATION).histograms[0].exemplars == ()


def test_a_child_process_starts_from_nothing():
    """B7: what the parent recorded is the parent's to send."""
    aggregator = Aggregator(series_cap=100)
    aggregator.histogram(HTTP_SERVER_REQUEST_DURATION).record(0.2, LABELS)
    aggregator.reset()
    assert [found.metric for found in aggregator.collect()] == []


def test_the_wrong_kind_is_refused():
    with pytest.raises(TypeError, match=r"http.server.request.duration is a histogram; use histogram\(\)"):
        Aggregator(100).counter(HTTP_SERVER_REQUEST_DURATION)
    with pytest.raises(TypeError, match=r"errors.captured is a counter; use counter\(\)"):
        Aggregator(100).histogram(ERRORS_CAPTURED)
