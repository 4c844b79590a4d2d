"""``/loki/api/v1/labels``, ``label/{name}/values``, ``series`` and ``detected_labels``: what streams there are."""

from __future__ import annotations

import re

from starlette.responses import Response

from otelkit_stack.api.loki.answers import LokiResponse, listed
from otelkit_stack.api.loki.asked import HOUR_NS, Asked
from otelkit_stack.logql.parsing import selector

_DEFAULT_NS = 6 * HOUR_NS
_ID = re.compile(r"-?\d+(\.\d+)?|[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def label_names(asked: Asked) -> Response:
    """The names of the streams' labels."""
    return listed(sorted({name for stream in _streams(asked) for name in stream}))


def label_values(asked: Asked) -> Response:
    """The values of one of them."""
    name = asked.given["name"]
    return listed(sorted({stream[name] for stream in _streams(asked) if name in stream}))


def series(asked: Asked) -> Response:
    """The labels of each stream that fits one of the selectors; of all of them where there is none."""
    span = asked.span(_DEFAULT_NS)
    found: list[dict[str, str]] = []
    for matchers in [selector(text) for text in asked.selectors] or [()]:
        found += [stream for stream in asked.streams.labels(matchers, *span) if stream not in found]
    return LokiResponse({"status": "success", "data": found})


def detected_labels(asked: Asked) -> Response:
    """The labels that are worth showing, with the number of their values: not those whose values are all ids or numbers."""
    values: dict[str, set[str]] = {}
    for stream in _streams(asked):
        for name, value in stream.items():
            values.setdefault(name, set()).add(value)
    kept = {name: its for name, its in sorted(values.items()) if not all(_ID.fullmatch(value) for value in its)}
    return LokiResponse({"detectedLabels": [{"label": name, "cardinality": len(its)} for name, its in kept.items()]})


def _streams(asked: Asked) -> list[dict[str, str]]:
    return asked.streams.labels(selector(asked.query) if asked.query else (), *asked.span(_DEFAULT_NS))
