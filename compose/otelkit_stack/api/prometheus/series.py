"""``/api/v1/series``, ``labels`` and ``label/{name}/values``: what there is to ask for.

Times are not looked at: what retention has not deleted is there, as what is in the head block is in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable

from otelkit_stack.api.prometheus.asked import Asked, listed
from otelkit_stack.api.prometheus.parameters import Given, limit_of, span_ms
from otelkit_stack.api.prometheus.selectors import matchers_of
from otelkit_stack.promql.errors import BadParameterError


def series(given: Given, asked: Asked) -> object:
    """The labels of each series that fits a selector."""
    limit, _ = limit_of(given), span_ms(given)
    selectors = given.get("match[]", ())
    if not selectors:
        raise BadParameterError("no match[] parameter provided")
    # A series that retention takes away meanwhile has no labels any more.
    found = [dict(sorted(asked.index.labels(key).items())) for key in _selected(selectors, asked) if key in asked.index]
    return listed(sorted(found, key=lambda labels: [*labels.items()]), limit)


def label_names(given: Given, asked: Asked) -> object:
    """The names of labels, of all series or of those that fit a selector."""
    limit, _ = limit_of(given), span_ms(given)
    selectors = given.get("match[]", ())
    return listed(asked.index.names(_selected(selectors, asked) if selectors else None), limit)


def label_values(given: Given, asked: Asked) -> object:
    """The values of a label, of all series or of those that fit a selector."""
    limit, _ = limit_of(given), span_ms(given)
    selectors = given.get("match[]", ())
    return listed(asked.index.values(given["name"][0], _selected(selectors, asked) if selectors else None), limit)


def _selected(selectors: Iterable[str], asked: Asked) -> set[int]:
    found: set[int] = set()
    for selector in selectors:
        found |= asked.index.select(matchers_of(selector))
    return found
