"""``/api/v1/metadata`` and ``/api/v1/status/...``: what clients ask to know whom they talk to, and what there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from typing import Any

from otelkit.catalog.metrics import METRICS, OTHERS
from otelkit.catalog.metrics.model import Kind
from otelkit.catalog.naming import family_name, series_name
from otelkit_stack.api.prometheus.asked import Asked
from otelkit_stack.api.prometheus.parameters import Given, limit_of, text_of
from otelkit_stack.metrics.label_index import METRIC_NAME
from otelkit_stack.promql.durations import text as duration_text
from otelkit_stack.promql.limits import Options

_MOST_LISTED = 10


def metadata(given: Given, asked: Asked) -> object:
    """Type and help of the kit's own metrics that have arrived.

    Prometheus itself knows these of scraped metrics only, and answers nothing for those of OTLP; the catalogue knows them.
    """
    limit, wanted = limit_of(given), text_of(given, "metric")
    present = frozenset(asked.index.values(METRIC_NAME))
    found = {
        name: [about] for name, (series, about) in _catalogue().items() if (not wanted or name == wanted) and present.intersection(series)
    }
    return _success(dict(list(found.items())[:limit] if limit else found))


@cache
def _catalogue() -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """By family: the series that show it is there, and what is known of it."""
    types = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}
    return {
        (series_name(metric) if metric.kind is Kind.COUNTER else family_name(metric)): (
            (series_name(metric),),
            {"type": types.get(metric.kind, "gauge"), "unit": "", "help": metric.help},
        )
        for metric in sorted((*METRICS, *OTHERS), key=family_name)
    }


def build(_given: Given, _asked: Asked) -> object:
    """Grafana reads the version to know what it may ask: our answers are those of this one."""
    own = {"revision": f"otelkit {version('otelkit')}", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}
    return _success({"version": "3.14.0", **own})


def flags(_given: Given, asked: Asked) -> object:
    """The flags of Prometheus that say something about the embedded stack, with the values they would have."""
    options = Options()
    retention = "0s" if asked.retention_s is None else duration_text(int(asked.retention_s * 1000))
    return _success(
        {
            "enable-feature": "exemplar-storage",
            "query.lookback-delta": duration_text(options.lookback_ms),
            "query.max-samples": str(options.max_samples),
            "query.timeout": duration_text(int(options.timeout_s * 1000)),
            "storage.tsdb.retention.time": retention,
            "web.enable-lifecycle": "true",
            "web.enable-otlp-receiver": "true",
        }
    )


def cardinality(_given: Given, asked: Asked) -> object:
    """Which metrics and labels have the most series: where to look when there are too many."""
    index = asked.index
    by_name: Counter[str] = Counter()
    by_pair: Counter[str] = Counter()
    values = {name: index.values(name) for name in index.names()}
    for series_id in index.select(()):
        for name, value in index.labels(series_id).items():
            by_pair[f"{name}={value}"] += 1
            if name == METRIC_NAME:
                by_name[value] += 1
    chunks, first, last = asked.connection.execute("SELECT count(*), min(start_ms), max(end_ms) FROM chunk").fetchone()
    pairs = sum(map(len, values.values()))
    return _success(
        {
            "headStats": {
                "numSeries": len(index),
                "numLabelPairs": pairs,
                "chunkCount": chunks,
                "minTime": first or 0,
                "maxTime": last or 0,
            },
            "seriesCountByMetricName": _most(by_name.items()),
            "labelValueCountByLabelName": _most((name, len(its)) for name, its in values.items()),
            "memoryInBytesByLabelName": _most((name, sum(len(value.encode()) for value in its)) for name, its in values.items()),
            "seriesCountByLabelValuePair": _most(by_pair.items()),
        }
    )


def _most(counts: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    ordered = sorted(counts, key=lambda pair: (-pair[1], pair[0]))[:_MOST_LISTED]
    return [{"name": name, "value": count} for name, count in ordered]


def _success(data: object) -> dict[str, object]:
    return {"status": "success", "data": data}
