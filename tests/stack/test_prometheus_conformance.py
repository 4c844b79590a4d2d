"""The same OTLP request gives the same series, labels, values and exemplars in a real Prometheus and in the stack."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum

from otelkit.catalog import metrics as catalog
from otelkit.catalog.metrics import METRICS, Kind
from otelkit_stack.testing import RunningStack
from tests.backends import running_prometheus, wait_until
from tests.stack.otlp_requests import SERVICE, key_values, metrics, post

pytestmark = pytest.mark.backends

CUMULATIVE = 2
NOW = time.time_ns() // 1_000_000 * 1_000_000

ODD_NAMES = [
    ("request.duration.seconds", "s"),
    ("jobs.total", "1"),
    ("total.jobs", "{job}"),
    ("disk.io", "By/s"),
    ("speed", "m/s"),
    ("events", "{event}/s"),
    ("load", "%"),
    ("odd", "foo/bar"),
    ("odder", "f-o__o"),
    ("odder.still", "a/-"),
    ("memory", " MiBy "),
    ("2xx", ""),
    ("a:b", ""),
    ("__weird--name__", ""),
    ("größe", "1"),
]
ODD_ATTRIBUTES: list[dict[str, Any]] = [
    {"a.b": "dot", "a_b": "underscore", "a-b": "dash"},  # three that one label name fits
    {"1st": "digit", "_private": "x", "__dunder": "y", "with:colon": "z", "a..b": "w", "ü.x": "v"},
    {"empty": "", "bool": True, "int": -5, "float": 0.1, "whole": 2.0, "small": 1e-7, "large": 1.25e21, "list": ["<a>", 1, True]},
    {"job": "mine", "instance": "mine", "service.name": "mine", "le": "mine", "__name__": "mine"},
    {"nested": {"b": 1, "a": "&"}, "bytes": b"\x00\xff", "newline": "a\nb", "nul": "a\x00b"},
]
RESOURCES: list[dict[str, Any]] = [
    SERVICE,
    {"service.name": "only.a.name"},
    {"service.name": "named", "host.name": "box"},
    {"service.namespace": "space", "service.instance.id": "slot", "service.owner": "team", "1.odd": "x"},
    {"process.pid": 1},
]


def number(kind: str, name: str, unit: str, attributes: dict[str, Any]) -> Metric:
    point = NumberDataPoint(time_unix_nano=NOW, as_double=1.5, attributes=key_values(attributes))
    if kind == "gauge":
        return Metric(name=name, unit=unit, gauge=Gauge(data_points=[point]))
    return Metric(name=name, unit=unit, sum=Sum(data_points=[point], aggregation_temporality=CUMULATIVE, is_monotonic=kind == "counter"))


def histogram(name: str, unit: str, bounds: tuple[float, ...], attributes: dict[str, Any]) -> Metric:
    counts = list(range(1, len(bounds) + 2))
    point = HistogramDataPoint(
        time_unix_nano=NOW, count=sum(counts), sum=2.5, explicit_bounds=bounds, bucket_counts=counts, attributes=key_values(attributes)
    )
    for index, value in enumerate((bounds[0] / 2, bounds[-1], bounds[-1] * 2)):
        point.exemplars.add(time_unix_nano=NOW, as_double=value, trace_id=bytes([index + 1]) * 16, span_id=bytes([index + 1]) * 8)
    return Metric(name=name, unit=unit, histogram=Histogram(data_points=[point], aggregation_temporality=CUMULATIVE))


def of_the_catalogue() -> list[Metric]:
    kinds = {Kind.COUNTER: "counter", Kind.UP_DOWN_COUNTER: "up_down", Kind.GAUGE: "gauge", Kind.INFO: "gauge"}
    return [
        histogram(metric.name, metric.unit, metric.buckets, {label.name: "x" for label in metric.labels})
        if metric.kind is Kind.HISTOGRAM
        else number(kinds[metric.kind], metric.name, metric.unit, {label.name: "x" for label in metric.labels})
        for metric in METRICS
    ]


def everything() -> list[Any]:
    odd = [
        number(kind, f"{name}.{kind}" if name != "jobs.total" else name, unit, {})
        for name, unit in ODD_NAMES
        for kind in ("gauge", "up_down")
    ]
    odd += [number("counter", name, unit, {"kind": "counter"}) for name, unit in ODD_NAMES]
    odd += [number("gauge", f"attributes.{index}", "", attributes) for index, attributes in enumerate(ODD_ATTRIBUTES)]
    odd.append(histogram("odd.bounds", "ms", (-1.0, 0.0, 1e-7, 0.1 + 0.2, 1.0, 1e6, 1e21), {}))
    requests = [metrics(*of_the_catalogue(), *odd)]
    requests += [metrics(number("gauge", "of.a.resource", "", {}), resource=resource) for resource in RESOURCES]
    return requests


Value = tuple[tuple[str, str], ...]


def test_a_real_prometheus_stores_the_same_series_with_the_same_values(tmp_path: Path, stack: RunningStack):
    with running_prometheus(tmp_path) as prometheus:
        for request in everything():
            answer = httpx.post(
                f"{prometheus.otlp_endpoint}/v1/metrics",
                content=request.SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
            )
            assert answer.status_code == 200, answer.text
            assert post(stack.url, request).content == b""
        stack.flush()
        everything_stored = '{__name__=~".+"}'
        at = NOW / 1e9 + 1  # not now: in a long run this module was imported more than a lookback ago
        wait_until(lambda: prometheus.query("target_info", at=at), 10, "Prometheus shows nothing")

        theirs = {tuple(sorted(found["metric"].items())): float(found["value"][1]) for found in prometheus.query(everything_stored, at=at)}
        ours: dict[Value, float] = {}
        for name in {dict(labels)["__name__"] for labels in theirs}:
            for series in stack.queries.series(name):
                ((time_ns, value),) = series.samples
                assert time_ns == NOW
                ours[tuple(sorted({"__name__": name, **series.labels}.items()))] = value
        assert ours == theirs
        with stack.store._changed:
            stored = stack.store._connection.execute("SELECT count(*) FROM series").fetchone()
        assert stored == (len(theirs),)

        exemplars = {
            (tuple(sorted(group["seriesLabels"].items())), exemplar["labels"]["trace_id"], float(exemplar["value"]))
            for group in prometheus.exemplars(everything_stored)
            for exemplar in group["exemplars"]
        }
        assert exemplars == {
            (tuple(sorted({"__name__": found.metric, **found.labels}.items())), found.trace_id, found.value)
            for found in stack.queries.exemplars()
        }
        assert any(
            dict(labels)["__name__"].startswith(catalog.HTTP_SERVER_REQUEST_DURATION.name.replace(".", "_")) for labels, *_ in exemplars
        )
