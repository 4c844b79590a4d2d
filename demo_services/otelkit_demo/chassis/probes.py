"""Probes for an orchestrator: alive, ready, started. They ask what the service owns, and never other services."""

from __future__ import annotations

from django.urls import URLPattern

from otelkit.patterns import health


def urls() -> list[URLPattern]:
    """``/livez`` asks nothing, ``/readyz`` the service's own database, ``/startupz`` whether its migrations are applied."""
    return health.urls()
