"""The app: a table, and gauges that ask it once somebody collects metrics."""

from __future__ import annotations

from django.apps import AppConfig

from otelkit.patterns import gauges


class SagaConfig(AppConfig):
    """Sagas. Asks no database while it gets ready."""

    name = "otelkit.patterns.saga"
    label = "otelkit_saga"
    verbose_name = "sagas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declares what the sagas can be asked for."""
        from otelkit.patterns.saga.standing import STANDING

        gauges.declare(STANDING)
