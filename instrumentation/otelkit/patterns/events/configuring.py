"""The settings of ``OTELKIT["events"]`` as they hold for this process, the kit being on or off."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from django.core.signals import setting_changed

from otelkit.config import Events
from otelkit.identity import service_name
from otelkit.project import config_of_project


@cache
def chosen() -> Events:
    """The settings, with a source. Raises ConfigError for those that cannot be used."""
    config = config_of_project()
    return replace(config.events, source=config.events.source or service_name(config.service))


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "OTELKIT":
        chosen.cache_clear()


setting_changed.connect(_forget, dispatch_uid="otelkit.patterns.events")
