"""otelkit as a distribution of OpenTelemetry: what ``opentelemetry-instrument`` and the Kubernetes operator start.

They ask for a distro, a configurator and instrumentors by entry points. Ours sets up nothing of the SDK, because otelkit does so itself
once Django has its settings, and leaves out the instrumentors whose work otelkit does: each would make a second span.

Needs ``opentelemetry-instrumentation``, which brings ``opentelemetry-instrument``. It is imported by nobody else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # upstream tells checkers to ignore that file

from otelkit.catalog.libraries import LIBRARY_FACTS
from otelkit.settings_field import parse_text, words

logger = logging.getLogger("otelkit")

NAME = "otelkit"
"""Of the entry points, and so the value of ``OTEL_PYTHON_DISTRO``."""

FOLLOWED = {
    "django": "requests",
    **{fact.upstream: fact.follows for fact in LIBRARY_FACTS if fact.upstream},
    "psycopg": "queries",
    "psycopg2": "queries",
    "sqlite3": "queries",
    "mysql": "queries",
    "mysqlclient": "queries",
    "pymysql": "queries",
    "pymssql": "queries",
    "logging": "log lines",
    "structlog": "log lines",
    "system_metrics": "process metrics",
}
"""Name of an upstream instrumentor -> what of it otelkit does itself."""

_DISTRO, _CONFIGURATOR, _OPT_IN = "OTEL_PYTHON_DISTRO", "OTEL_PYTHON_CONFIGURATOR", "OTEL_SEMCONV_STABILITY_OPT_IN"

left_out: list[str] = []
"""Instrumentors that are installed and were not started in this process."""
_was_chosen = False


class OtelkitDistro(BaseDistro):  # type: ignore[misc]  # as above
    """Starts otelkit, and every other instrumentation that is installed."""

    def _configure(self, **_: Any) -> None:
        global _was_chosen
        _was_chosen = True
        # Asked for next. Where several are installed upstream would take the first it finds, and set up a second export.
        os.environ.setdefault(_CONFIGURATOR, NAME)
        # The names of our boards; read once, by the first instrumentation.
        os.environ.setdefault(_OPT_IN, "http,database")

    def load_instrumentor(self, entry_point: Any, **kwargs: Any) -> None:
        """Starts one, unless otelkit does its work, or is switched off by the environment."""
        if (entry_point.name in FOLLOWED and entry_point.name not in _disabled(os.environ)) or _is_switched_off(os.environ):
            left_out.append(entry_point.name)
        else:
            super().load_instrumentor(entry_point, **kwargs)


class OtelkitConfigurator:
    """Lets otelkit join Django's apps. Upstream asks a configurator for this one method, and for no base class."""

    def configure(self, **_: Any) -> None:
        """Providers are made at otelkit's start, with the project's settings."""
        import otelkit.auto  # noqa: F401


def mention_other_distro() -> None:
    """Warns where another distribution was started by chance: an entry point that is called after all the others."""
    if not _was_chosen and _DISTRO not in os.environ:
        logger.warning(
            "opentelemetry-instrument started another distribution, because several are installed and none was chosen. "
            "%s=otelkit chooses otelkit; %s=distro chooses OpenTelemetry's, without this line.",
            _DISTRO,
            _DISTRO,
        )


def _disabled(environ: Mapping[str, str]) -> set[str]:
    """Instrumentors of the libraries that otelkit leaves alone, as far as a variable says so: the settings are not known yet."""
    named = words(environ.get("OTELKIT_LIBRARIES_DISABLED", ""))
    return {fact.upstream for fact in LIBRARY_FACTS if fact.name in named}


def _is_switched_off(environ: Mapping[str, str]) -> bool:
    """By a variable: the settings are not known yet. One that cannot be read is complained of when they are."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return True
    try:
        return parse_text(environ.get("OTELKIT_ENABLED") or "true", bool) is False
    except ValueError:
        return False
