"""What the Django project asks for. Imports nothing heavy: a process in which the kit is off pays for reading its settings alone."""

from __future__ import annotations

import os

from otelkit.config import Config, load


def config_of_project() -> Config:
    """The configuration of the Django project of this process. Raises ConfigError."""
    from django.conf import settings

    return load(getattr(settings, "OTELKIT", None), os.environ, debug=bool(settings.DEBUG))
