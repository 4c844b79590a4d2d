"""``/loki/api/v1/index/stats``, ``index/volume`` and ``index/volume_range``: how much there is.

Loki counts what its index knows, by chunks; here the lines themselves are counted, so lines that came a moment ago are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from otelkit_stack.api.loki.answers import LokiResponse, seconds, success
from otelkit_stack.api.loki.asked import Asked
from otelkit_stack.api.parameters import BadParameterError
from otelkit_stack.logql.frames import Labels
from otelkit_stack.logql.parsing import selector
from otelkit_stack.selectors.matchers import Matcher

_MILLISECOND_NS = 1_000_000
_AGGREGATIONS = ("", "series", "labels")


def stats(asked: Asked) -> Response:
    """Streams, lines and their bytes in a time. There are no chunks here: each stream counts as one."""
    found = asked.streams.sizes(selector(asked.query), *asked.span())
    total = {"streams": len(found), "chunks": len(found)}
    return LokiResponse({**total, "bytes": sum(size.octets for size in found), "entries": sum(size.entries for size in found)})


def volume(asked: Asked) -> Response:
    """Bytes in a time, by the labels that the selector or ``targetLabels`` names, the most first."""
    matchers, (start, end) = selector(asked.query), asked.span()
    totals: dict[Labels, int] = {}
    for size in asked.streams.sizes(matchers, start, end):
        for labels in _grouped(asked, matchers, size.stream):
            totals[labels] = totals.get(labels, 0) + size.octets
    ordered = _largest(totals, asked.limit())
    return success("vector", [{"metric": dict(labels), "value": [seconds(end), str(totals[labels])]} for labels in ordered])


def volume_over_time(asked: Asked) -> Response:
    """The same in each step of a time; a step's value is at its end."""
    matchers, (start, end) = selector(asked.query), asked.span()
    step = asked.step(start, end)
    totals: dict[Labels, int] = {}
    values: dict[Labels, dict[int, int]] = {}
    for size in asked.streams.sizes(matchers, start, end, step):
        for labels in _grouped(asked, matchers, size.stream):
            totals[labels] = totals.get(labels, 0) + size.octets
            its = values.setdefault(labels, {})
            at = min((size.bucket + 1) * step - _MILLISECOND_NS, end)
            its[at] = its.get(at, 0) + size.octets
    matrix: list[dict[str, Any]] = [
        {"metric": dict(labels), "values": [[seconds(at), str(octets)] for at, octets in sorted(values[labels].items())]}
        for labels in _largest(totals, asked.limit())
    ]
    return success("matrix", matrix)


def _grouped(asked: Asked, matchers: Sequence[Matcher], stream: Labels) -> list[Labels]:
    targets = [name for name in asked.given.get("targetLabels", "").split(",") if name]
    by = asked.given.get("aggregateBy", "")
    if by not in _AGGREGATIONS:
        raise BadParameterError("invalid aggregation option")
    if by == "labels":
        return [((name, ""),) for name, _ in stream if not targets or name in targets]
    wanted = targets or [matcher.name for matcher in matchers]
    return [tuple(pair for pair in stream if not wanted or pair[0] in wanted)]


def _largest(totals: dict[Labels, int], limit: int) -> list[Labels]:
    return sorted(totals, key=lambda labels: (-totals[labels], labels))[:limit]
