"""``/api/v1/query_exemplars``: single measurements with the traces they were made in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from otelkit_stack.api.prometheus.asked import Asked
from otelkit_stack.api.prometheus.parameters import Given, span_ms, text_of
from otelkit_stack.go_text import answered
from otelkit_stack.prometheus_naming import label_name
from otelkit_stack.promql.errors import BadParameterError, ParseError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.tree import selectors_of
from otelkit_stack.rows import loaded_float

MOST_LABEL_CHARACTERS = 128
"""Of one exemplar, as OpenMetrics says; what an exemplar has beyond its trace is left out where it takes more."""

_SQL = """
SELECT series_id, time_ns, value, trace_id, span_id, labels FROM exemplar
WHERE series_id IN (SELECT value FROM json_each(?)) AND time_ns BETWEEN ? AND ? ORDER BY time_ns
"""


def exemplars(given: Given, asked: Asked) -> object:
    """The exemplars of every series that a selector of the query names, by series and time."""
    start_ms, end_ms = span_ms(given)
    try:
        selectors = selectors_of(parse(text_of(given, "query")))
    except ParseError as error:
        raise BadParameterError(str(error)) from error
    wanted: set[int] = set()
    for selector in selectors:
        wanted |= asked.index.select(selector.matchers)
    found: dict[int, list[dict[str, Any]]] = {}
    for series_id, one in _read(asked.connection, wanted, start_ms, end_ms):
        found.setdefault(series_id, []).append(one)
    series = [(dict(sorted(asked.index.labels(key).items())), its) for key, its in found.items() if key in asked.index]
    series.sort(key=lambda pair: [*pair[0].items()])
    return {"status": "success", "data": [{"seriesLabels": labels, "exemplars": its} for labels, its in series]}


def _read(connection: sqlite3.Connection, series_ids: Iterable[int], start_ms: int, end_ms: int) -> Iterator[tuple[int, dict[str, Any]]]:
    first, last = (max(-(2**63), min(2**63 - 1, time * 1_000_000)) for time in (start_ms, end_ms))
    for series_id, time_ns, value, trace_id, span_id, more in connection.execute(_SQL, (json.dumps([*series_ids]), first, last)):
        labels = {name: id_.hex() for name, id_ in (("span_id", span_id), ("trace_id", trace_id)) if id_}
        own = {label_name(name): str(text) for name, text in json.loads(more).items()}
        if sum(map(len, (*labels, *labels.values(), *own, *own.values()))) <= MOST_LABEL_CHARACTERS:
            labels = own | labels
        time_ms = time_ns // 1_000_000
        timestamp = time_ms // 1000 if time_ms % 1000 == 0 else time_ms / 1000
        yield series_id, {"labels": dict(sorted(labels.items())), "value": answered(loaded_float(value)), "timestamp": timestamp}
