"""``/api/v1/series``, ``labels`` and ``label/{name}/values``: what there is to ask for, at all or in a time.

A series is there in a time that one of its chunks reaches into, as in Prometheus: up to half an hour around its samples.
"""

from __future__ import annotations

from otelkit_stack.api.prometheus.asked import Asked, listed
from otelkit_stack.api.prometheus.parameters import Given, limit_of, span_ms, text_of
from otelkit_stack.api.prometheus.selectors import matchers_of
from otelkit_stack.promql.errors import BadParameterError


def series(given: Given, asked: Asked) -> object:
    """The labels of each series that fits a selector."""
    limit = limit_of(given)
    if not given.get("match[]"):
        raise BadParameterError("no match[] parameter provided")
    # A series that retention takes away meanwhile has no labels any more.
    found = [dict(sorted(asked.index.labels(key).items())) for key in _asked_for(given, asked) or () if key in asked.index]
    return listed(sorted(found, key=lambda labels: [*labels.items()]), limit)


def label_names(given: Given, asked: Asked) -> object:
    """The names of labels, of all series or of those that fit a selector and the time."""
    return listed(asked.index.names(_asked_for(given, asked)), limit_of(given))


def label_values(given: Given, asked: Asked) -> object:
    """The values of a label, of all series or of those that fit a selector and the time."""
    return listed(asked.index.values(given["name"][0], _asked_for(given, asked)), limit_of(given))


def _asked_for(given: Given, asked: Asked) -> set[int] | None:
    """The series that fit; None for all that there are."""
    start_ms, end_ms = span_ms(given)
    selectors = given.get("match[]", ())
    has_time = bool(text_of(given, "start") or text_of(given, "end"))
    if not selectors and not has_time:
        return None
    found: set[int] = set()
    for matchers in map(matchers_of, selectors or ()):
        found |= asked.index.select(matchers)
    if not selectors:
        found = asked.index.select(())
    return asked.samples.in_time(asked.connection, found, start_ms, end_ms) if has_time else found
