"""Checks of Celery: tasks that nobody follows, and log handlers that a worker throws out.

Of a project that uses it, which is one that has imported it by now: its app stands in the project's package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from otelkit.catalog.libraries import CELERY
from otelkit.checks.check import Finding, Project, check

_UPSTREAM = "opentelemetry.instrumentation.celery"


@check("W080")
def celery_is_not_followed(project: Project) -> Iterator[Finding]:
    """The project uses Celery, but the library is disabled, and no other instrumentation follows tasks."""
    if CELERY.module not in sys.modules:
        return
    if CELERY.name in project.config.libraries.disabled and not _is_instrumented():
        yield Finding(
            f'The project uses Celery, but "{CELERY.name}" is in {project.where("libraries.disabled")}: a trace ends where a task is sent.',
            "Take it out of the list.",
        )


@check("W081")
def worker_drops_handlers(project: Project) -> Iterator[Finding]:
    """LOGGING has handlers on the root logger, and Celery's worker_hijack_root_logger is on, as by default:
    a worker throws them out when it starts, so that what they did for its tasks (a file, Sentry, a mail) does not happen."""
    handlers = ((getattr(project.settings, "LOGGING", None) or {}).get("root") or {}).get("handlers") or ()
    if handlers and _hijacks():
        yield Finding(
            f"A Celery worker takes the handlers of LOGGING off the root logger: {', '.join(map(str, handlers))}.",
            "Set worker_hijack_root_logger = False (CELERY_WORKER_HIJACK_ROOT_LOGGER = False in Django's settings).",
        )


def _is_instrumented() -> bool:
    upstream: Any = sys.modules.get(_UPSTREAM)
    return upstream is not None and bool(upstream.CeleryInstrumentor().is_instrumented_by_opentelemetry)


def _hijacks() -> bool:
    if CELERY.module not in sys.modules:
        return False
    from celery import current_app, signals

    if signals.setup_logging.receivers:  # the project's own way: then Celery leaves logging alone
        return False
    try:
        return bool(current_app.conf.worker_hijack_root_logger)
    except Exception:  # noqa: BLE001  (the app's own configuration cannot be read: Celery says so, where it is used)
        return False


CHECKS = (celery_is_not_followed, worker_drops_handlers)
