"""What requests that end alike have in common, made once: labels, the span's name, and the attributes that do not change.

Requests end alike when the same view answered the same method by the same status. A service has few such outcomes, and making all of this
anew cost more than recording it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from otelkit.catalog.labels import UNMATCHED_ROUTE
from otelkit.metrics.aggregator import LabelValues
from otelkit.request.routes import route_of
from otelkit.request.views import view_name
from otelkit.traces.names import span_name
from otelkit.traces.span import LONGEST_SMALL_TEXT

MOST_KEPT = 4096
"""Outcomes remembered. Beyond, all are forgotten: those in use are back at once."""


class Outcome:
    """One view, method, scheme, status and error."""

    __slots__ = ("attributes", "duration_labels", "is_small", "name", "route", "route_label")

    def __init__(self, view: str | None, route: str | None, method: str, scheme: str, status: int | None, error_type: str | None) -> None:
        self.route = route
        self.route_label = route or UNMATCHED_ROUTE
        self.duration_labels: LabelValues = (method, self.route_label, status, scheme, error_type)
        self.name = span_name(method, route)
        self.attributes: dict[str, Any] = {
            "http.request.method": method,
            "url.scheme": scheme,
            "http.route": route,
            "http.response.status_code": status,
            "code.function.name": view,
            "error.type": error_type,
            "db.query.count": 0,
            "db.query.duplicates": 0,
            "db.duration": 0.0,
        }
        """Of the span, to be copied; a request with queries replaces the zeros."""
        for name in [name for name, value in self.attributes.items() if value is None]:
            del self.attributes[name]
        self.is_small = all(len(str(value)) <= LONGEST_SMALL_TEXT for value in self.attributes.values())


class Outcomes:
    """The outcomes seen lately."""

    def __init__(self) -> None:
        self._kept: dict[Any, Outcome] = {}

    def of(self, request: HttpRequest, method: str, scheme: str, status: int | None, error_type: str | None) -> Outcome:
        """The outcome of this request. ``method`` is one of few, ``error_type`` a class's name or a status."""
        match = request.resolver_match
        route = route_of(request)
        key = (None if match is None else match.func, route, method, status, error_type, scheme)
        try:
            found = self._kept.get(key)
        except TypeError:  # a view that is a callable object, and cannot be a key
            return Outcome(view_name(request, method), route, method, scheme, status, error_type)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = Outcome(view_name(request, method), route, method, scheme, status, error_type)
        return found
