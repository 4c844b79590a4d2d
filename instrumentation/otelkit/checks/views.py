"""The project's views with their paths, as its URL configuration has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from otelkit.metrics.pull import metrics

_VARIABLE = frozenset("<([\\?*+|^$")
"""What a pattern that stands for several paths has in it."""


def routes() -> list[tuple[str, Any]] | None:
    """Path pattern and view of every route; None where the URLs cannot be imported, which Django says itself."""
    try:
        return list(_below(get_resolver(), ""))
    except Exception:  # noqa: BLE001  (whatever is wrong in the project's URLs)
        return None


def paths_of_metrics() -> list[str] | None:
    """The paths at which the view of ``/metrics`` is routed; None where the URLs cannot be imported."""
    found = routes()
    return None if found is None else [f"/{route.lstrip('^').rstrip('$')}" for route, view in found if _is_metrics(view)]


def fixed_paths_of_metrics() -> list[str]:
    """Those that are one path each, so that a request can be made for them."""
    return [path for path in paths_of_metrics() or () if not _VARIABLE & set(path)]


def _below(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _below(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def _is_metrics(view: Callable[..., Any] | None) -> bool:
    """Whether it is the view itself, or one that decorators made of it."""
    while view is not None:
        if view is metrics:
            return True
        view = view.func if isinstance(view, partial) else getattr(view, "__wrapped__", None)
    return False
