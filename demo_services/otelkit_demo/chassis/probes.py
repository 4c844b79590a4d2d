"""Probes for an orchestrator: alive, ready, started. They ask what the service owns, and never other services."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import URLPattern

from otelkit.patterns import health
from otelkit.patterns.health import Check

PATHS = frozenset({"/livez", "/readyz", "/startupz"})


def urls(ready: Iterable[Check] = ()) -> list[URLPattern]:
    """``/livez`` asks nothing, ``/readyz`` the service's own database and ``ready``, ``/startupz`` whether its migrations are applied."""
    return health.urls(ready=(health.database(), *ready), fresh_for=FRESH_SECONDS)


FRESH_SECONDS = 2.0
"""How long a probe's answer is kept: short, so that a demo shows a fault, and its end, soon."""


def is_probe(request: HttpRequest) -> bool:
    """Whether an orchestrator asks: faults leave it alone, and so does whatever is for customers."""
    return request.path_info in PATHS
