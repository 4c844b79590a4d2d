"""The app: tables of its own, and a gauge that asks them once somebody collects metrics."""

from __future__ import annotations

from django.apps import AppConfig

from otelkit.patterns import gauges


class EventsConfig(AppConfig):
    """Outbox and inbox. Asks no database while it gets ready."""

    name = "otelkit.patterns.events"
    label = "otelkit_events"
    verbose_name = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declares what the outbox can be asked for."""
        from otelkit.patterns.events.backlog import BACKLOG

        gauges.declare(BACKLOG)
