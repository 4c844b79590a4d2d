"""The one line: ``INSTALLED_APPS = ["otelkit", ...]``."""

from __future__ import annotations

from django.apps import AppConfig

from otelkit.entry import start_where_wanted


class OtelkitConfig(AppConfig):
    """Starts the kit when Django is ready, in processes that have something to tell."""

    name = "otelkit"
    verbose_name = "otelkit"

    def ready(self) -> None:
        """Raises ConfigError for settings that cannot be used: a typo should stop a deploy, not silence its telemetry."""
        start_where_wanted()
