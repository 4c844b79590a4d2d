"""The one line: ``INSTALLED_APPS = ["otelkit", ...]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from otelkit.entry import is_checked_first
from otelkit.errors import ConfigError
from otelkit.launch import start_where_wanted


class OtelkitConfig(AppConfig):
    """Starts the kit when Django is ready, in processes that have something to tell."""

    name = "otelkit"
    verbose_name = "otelkit"

    def ready(self) -> None:
        """Raises ConfigError for settings that cannot be used: a typo should stop a deploy, not silence its telemetry.

        Where Django runs its checks before the command, check E001 says it, and stops the command without a traceback.
        """
        register(system_checks, self.name)
        try:
            start_where_wanted()
        except ConfigError:
            if not is_checked_first():
                raise


def system_checks(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """What Django's ``check`` says about this app."""
    from otelkit.checks import report  # a process that does not check does not pay for it

    return report(app_configs)
