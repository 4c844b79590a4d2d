"""The one line: ``INSTALLED_APPS = ["otelkit", ...]``."""

from __future__ import annotations

from django.apps import AppConfig

from otelkit.entry import reason_to_stay_off
from otelkit.project import config_of_project


class OtelkitConfig(AppConfig):
    """Starts the kit when Django is ready, in processes that have something to tell."""

    name = "otelkit"
    verbose_name = "otelkit"

    def ready(self) -> None:
        """Raises ConfigError for settings that cannot be used: a typo should stop a deploy, not silence its telemetry."""
        start_where_wanted()


def start_where_wanted() -> None:
    """Starts the kit in a process that has something to tell, once Django has its settings.

    Raises ConfigError for settings that cannot be used. Switched off, it imports no more than what reads the settings.
    """
    if reason_to_stay_off() is not None:
        return
    config = config_of_project()
    if config.enabled:
        from otelkit import startup

        startup.start(config)
