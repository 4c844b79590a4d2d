"""A service as Prometheus sees it: one thread that pushes http.server.request.duration over OTLP, healthy or not."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import urllib3
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from otelkit.catalog import labels as l
from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION

REQUESTS = 20
"""Requests that the service answers between two exports."""
INTERVAL = 1.0
"""Seconds between two exports: five times as often as the demo, so that tests need not wait for one."""

_RESOURCE = {
    l.SERVICE_NAME: "orders",
    l.SERVICE_NAMESPACE: "shop",
    l.SERVICE_INSTANCE_ID: "host:1",
    l.SERVICE_OWNER: "checkout team",
    l.DEPLOYMENT_ENVIRONMENT_NAME: "test & trial",
}
_OK = {l.HTTP_RESPONSE_STATUS_CODE: "200"}
_FAILED = {l.HTTP_RESPONSE_STATUS_CODE: "500", l.ERROR_TYPE: "ValueError"}


@dataclass(slots=True)
class Emitter:
    """What the service does now; tests change it while it runs."""

    error_share: float = 0.0
    requests: int = REQUESTS
    seconds: float = 0.05
    """Duration of each request."""
    _answered: dict[str, list[int]] = field(default_factory=dict)
    _started_ns: int = field(default_factory=time.time_ns)

    def export(self) -> bytes:
        """The next ExportMetricsServiceRequest: cumulative, as the kit sends it."""
        failed = round(self.requests * self.error_share)
        points = []
        for labels, requests in ((_OK, self.requests - failed), (_FAILED, failed)):
            counts = self._answered.setdefault(str(labels), [0] * (len(HTTP_SERVER_REQUEST_DURATION.buckets) + 1))
            counts[bisect_left(HTTP_SERVER_REQUEST_DURATION.buckets, self.seconds)] += requests
            if any(counts):  # a series begins with its first observation
                points.append(self._point(labels, counts))
        histogram = Histogram(data_points=points, aggregation_temporality=AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
        metric = Metric(name=HTTP_SERVER_REQUEST_DURATION.name, unit=HTTP_SERVER_REQUEST_DURATION.unit, histogram=histogram)
        resource = Resource(attributes=_attributes(_RESOURCE))
        request = ExportMetricsServiceRequest(
            resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[ScopeMetrics(metrics=[metric])])]
        )
        return bytes(request.SerializeToString())

    def _point(self, labels: dict[Label, str], counts: list[int]) -> HistogramDataPoint:
        own = {l.HTTP_REQUEST_METHOD: "GET", l.HTTP_ROUTE: "/orders/{pk}", l.URL_SCHEME: "http", **labels}
        return HistogramDataPoint(
            attributes=_attributes(own),
            start_time_unix_nano=self._started_ns,
            time_unix_nano=time.time_ns(),
            count=sum(counts),
            sum=sum(counts) * self.seconds,
            bucket_counts=counts,
            explicit_bounds=HTTP_SERVER_REQUEST_DURATION.buckets,
        )


@contextmanager
def emitting(otlp_endpoint: str) -> Iterator[Emitter]:
    """A service that exports until the block ends. Raises AssertionError at its end if an export was refused."""
    emitter, ended = Emitter(), Event()
    refused: list[str] = []

    def run() -> None:
        with urllib3.PoolManager(retries=False, timeout=5.0) as pool:
            while not ended.is_set():
                answer = pool.request(
                    "POST", f"{otlp_endpoint}/v1/metrics", body=emitter.export(), headers={"Content-Type": "application/x-protobuf"}
                )
                if answer.status != 200:
                    refused.append(f"{answer.status} {answer.data!r}")
                ended.wait(INTERVAL)

    thread = Thread(target=run, name="emitter")
    thread.start()
    try:
        yield emitter
    finally:
        ended.set()
        thread.join()
    assert refused == []


def _attributes(labels: dict[Label, str]) -> list[KeyValue]:
    return [KeyValue(key=label.name, value=AnyValue(string_value=value)) for label, value in labels.items()]
