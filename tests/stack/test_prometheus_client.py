"""A client library that was written for Prometheus asks the stack, and does not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint, Sum

from otelkit_stack.access import Access
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import key_values, metrics
from tests.stack.test_access import TOKEN, send

client = pytest.importorskip("prometheus_api_client", reason="needs prometheus-api-client: pip install 'otelkit[dev]'")

NOW_S = time.time_ns() // 1_000_000_000
START_S = NOW_S - 600


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Ten minutes of two counters; whoever asks needs the token."""
    with running_stack(tmp_path_factory.mktemp("stack"), access=Access.of(token=TOKEN)) as running:
        for number in range(41):
            points = [
                NumberDataPoint(
                    time_unix_nano=(START_S + 15 * number) * 1_000_000_000, as_int=number * step, attributes=key_values({"colour": colour})
                )
                for colour, step in (("red", 30), ("blue", 15))
            ]
            request = metrics(Metric(name="balls", sum=Sum(data_points=points, aggregation_temporality=2, is_monotonic=True)))
            headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {TOKEN}"}
            assert send(f"{running.url}/v1/metrics", content=request.SerializeToString(), headers=headers).status_code == 200
        running.flush()
        yield running


@pytest.fixture
def prometheus(stack: RunningStack) -> Iterator[client.PrometheusConnect]:
    with client.PrometheusConnect(url=stack.url, headers={"Authorization": f"Bearer {TOKEN}"}) as connected:
        yield connected


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_it_is_connected(prometheus: client.PrometheusConnect):
    assert prometheus.check_prometheus_connection()


def test_it_finds_metrics_labels_and_series(prometheus: client.PrometheusConnect):
    assert "balls_total" in prometheus.all_metrics()
    assert {"__name__", "colour"} <= set(prometheus.get_label_names())
    assert prometheus.get_label_values("colour") == ["blue", "red"]
    found = prometheus.get_series(moment(START_S), moment(NOW_S), params={"match[]": "balls_total"})
    assert [series["colour"] for series in found] == ["blue", "red"]
    assert prometheus.get_series(moment(START_S - 900), moment(START_S - 600), params={"match[]": "balls_total"}) == []


def test_it_reads_the_newest_value_and_a_range(prometheus: client.PrometheusConnect):
    (red,) = prometheus.get_current_metric_value("balls_total", {"colour": "red"}, params={"time": NOW_S})
    assert red["value"][1] == "1200"
    (found,) = prometheus.get_metric_range_data("balls_total", {"colour": "blue"}, start_time=moment(START_S), end_time=moment(NOW_S))
    assert [value for _, value in found["values"]] == [str(15 * number) for number in range(1, 41)]  # a range is open at its beginning


def test_it_asks_in_promql(prometheus: client.PrometheusConnect):
    (found,) = prometheus.custom_query("sum(rate(balls_total[1m]))", params={"time": NOW_S})
    assert float(found["value"][1]) == pytest.approx(3)
    (ranged,) = prometheus.custom_query_range("sum(rate(balls_total[1m]))", moment(START_S + 300), moment(NOW_S), "60s")
    assert [float(value) for _, value in ranged["values"]] == pytest.approx([3] * 6)


def test_it_is_told_what_is_wrong(prometheus: client.PrometheusConnect):
    with pytest.raises(client.PrometheusApiClientException, match="unclosed left parenthesis"):
        prometheus.custom_query("sum(")
