"""Series of the store as metrics of OTLP.

What a series was before it was Prometheus' is not kept. Those that end in ``_total`` become sums, buckets with their count and sum become
histograms, all others gauges: read back, each is the series it was. Labels are the attributes of the points, ``job`` and ``instance`` too.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from otelkit_stack.metrics.samples import samples_on_disk
from otelkit_stack.otlp_json import Json, key_values
from otelkit_stack.rows import is_stale, loaded_float

Labels = tuple[tuple[str, str], ...]
_SERIES_AT_ONCE = 500
_POINTS_PER_REQUEST = 2000
_CUMULATIVE = 2
_NO_RECORDED_VALUE = 1
_EVER_MS = 2**63 - 1
_EXEMPLARS = """
SELECT series_id, time_ns, value, trace_id, span_id, labels FROM exemplar
WHERE series_id IN (SELECT value FROM json_each(?)) AND time_ns >= ?
"""


@dataclass(slots=True)
class _Family:
    """Series that are one metric: one of them, or buckets, sum and count."""

    name: str
    labels: Labels
    series: dict[str, int] = field(default_factory=dict)
    """Ids by ``le``, ``sum`` and ``count``; the one of a plain series by ``""``."""


def metric_requests(connection: sqlite3.Connection, since_ns: int) -> Iterator[tuple[int, Json]]:
    """Requests of the samples since then, each with the number of points in it."""
    metrics: list[Json] = []
    count = 0
    for metric, points in _metrics(connection, since_ns):
        metrics.append(metric)
        count += points
        if count >= _POINTS_PER_REQUEST:
            yield count, _request(metrics)
            metrics, count = [], 0
    if metrics:
        yield count, _request(metrics)


def _request(metrics: Sequence[Json]) -> Json:
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}


def _metrics(connection: sqlite3.Connection, since_ns: int) -> Iterator[tuple[Json, int]]:
    for families in _portions(_families(connection.execute("SELECT id, name, labels FROM series").fetchall())):
        ids = [series_id for family in families for series_id in family.series.values()]
        samples = {
            series_id: dict(zip(times.tolist(), values.tolist(), strict=True))
            for series_id, (times, values) in samples_on_disk(connection, ids, since_ns // 1_000_000, _EVER_MS).items()
        }
        exemplars: dict[int, list[Json]] = {}
        for series_id, *exemplar in connection.execute(_EXEMPLARS, (json.dumps(ids), since_ns)):
            exemplars.setdefault(series_id, []).append(_exemplar(*exemplar))
        for family in families:
            for points, kind in _points(family, samples, exemplars):
                for first in range(0, len(points), _POINTS_PER_REQUEST):
                    portion = points[first : first + _POINTS_PER_REQUEST]
                    yield {"name": family.name, kind: _data(kind, portion)}, len(portion)


def _data(kind: str, points: Sequence[Json]) -> Json:
    temporality = {} if kind == "gauge" else {"aggregationTemporality": _CUMULATIVE}
    return {"dataPoints": points, **temporality, **({"isMonotonic": True} if kind == "sum" else {})}


def _families(rows: Iterable[tuple[int, str, str]]) -> list[_Family]:
    series = [(series_id, name, json.loads(labels)) for series_id, name, labels in rows]
    histograms: dict[tuple[str, Labels], _Family] = {}
    for series_id, name, labels in series:
        if name.endswith("_bucket") and "le" in labels:
            key = name.removesuffix("_bucket"), _without_le(labels)
            histograms.setdefault(key, _Family(*key)).series[labels["le"]] = series_id
    histograms = {key: family for key, family in histograms.items() if "+Inf" in family.series and _are_numbers(family.series)}
    plain = []
    for series_id, name, labels in series:
        base, _, part = name.rpartition("_")
        family = histograms.get((base, _without_le(labels)))
        if family is None or part not in ("bucket", "sum", "count") or (part == "bucket") != ("le" in labels):
            plain.append(_Family(name, tuple(labels.items()), {"": series_id}))
        elif part != "bucket":
            family.series[part] = series_id
    return [*plain, *histograms.values()]


def _without_le(labels: Mapping[str, str]) -> Labels:
    return tuple((name, value) for name, value in labels.items() if name != "le")


def _are_numbers(bounds: Iterable[str]) -> bool:
    try:
        return all(not math.isnan(float(bound)) for bound in bounds)
    except ValueError:
        return False


def _portions(families: Sequence[_Family]) -> Iterator[list[_Family]]:
    portion: list[_Family] = []
    for family in families:
        portion.append(family)
        if sum(len(one.series) for one in portion) >= _SERIES_AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def _points(
    family: _Family, samples: Mapping[int, Mapping[int, float]], exemplars: Mapping[int, list[Json]]
) -> Iterator[tuple[list[Json], str]]:
    if "" in family.series:
        series_id = family.series[""]
        points = [{**_at(time, family.labels), **_number(value)} for time, value in samples[series_id].items()]
        if points and series_id in exemplars:
            points[-1]["exemplars"] = exemplars[series_id]
        yield points, "sum" if family.name.endswith("_total") else "gauge"
        return
    bounds = sorted((float(le), series_id) for le, series_id in family.series.items() if le not in ("sum", "count"))
    sums = samples.get(family.series.get("sum", 0), {})
    points = [
        {
            **_at(time, family.labels),
            **_histogram([samples[series_id].get(time, 0.0) for _, series_id in bounds], total),
            **_sum(sums.get(time), total),
            "explicitBounds": [_json_float(bound) for bound, _ in bounds[:-1]],
        }
        for time, total in samples[bounds[-1][1]].items()
    ]
    found = [one for _, series_id in bounds for one in exemplars.get(series_id, ())]
    if points and found:
        points[-1]["exemplars"] = found
    yield points, "histogram"


def _at(time_ms: int, labels: Labels) -> Json:
    return {"timeUnixNano": str(time_ms * 1_000_000), "attributes": key_values(dict(labels))}


def _number(value: float) -> Json:
    return {"flags": _NO_RECORDED_VALUE} if is_stale(value) else {"asDouble": _json_float(value)}


def _histogram(cumulative: Sequence[float], total: float) -> Json:
    if is_stale(total) or not all(map(math.isfinite, cumulative)):
        return {"flags": _NO_RECORDED_VALUE, "count": "0", "bucketCounts": ["0"] * len(cumulative)}
    counts = [max(0, int(upto - before)) for upto, before in zip(cumulative, [0.0, *cumulative], strict=False)]
    return {"count": str(int(total)), "bucketCounts": list(map(str, counts))}


def _sum(value: float | None, total: float) -> Json:
    if value is None or is_stale(value) != is_stale(total):
        return {}
    return {"sum": 0.0 if is_stale(value) else _json_float(value)}  # that it is there says that it ended with the others


def _exemplar(time_ns: int, value: float | bytes, trace_id: bytes, span_id: bytes, labels: str) -> Json:
    return {
        "timeUnixNano": str(time_ns),
        "asDouble": _json_float(loaded_float(value)),
        "traceId": trace_id.hex(),
        "spanId": span_id.hex(),
        "filteredAttributes": key_values(json.loads(labels)),
    }


def _json_float(value: float) -> float | str:
    """The value, or protobuf's word for one that JSON lacks."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
