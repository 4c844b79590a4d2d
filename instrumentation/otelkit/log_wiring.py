"""Keeps log lines wired when Django configures logging once more, and true when this process learns who it is.

``django.setup()`` runs twice under runserver: for the command, and again in ``get_wsgi_application()``. Each time Django's console handlers
come back, so that its lines would be printed twice, and a project's ``LOGGING`` throws our handlers out. So does a Celery
worker when it starts: it takes every handler off the root logger and puts one of its own there, and one on the logger of tasks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from django.utils import log as django_log

from otelkit import logs
from otelkit.catalog.logs import RESOURCE_KEYS
from otelkit.config import Logs
from otelkit.importing import when_imported
from otelkit.logs.item import LogItem
from otelkit.logs.tree import own_loggers


class LogWiring:
    """One installation at a time, made anew when Django configures logging."""

    def __init__(self, settings: Logs, resource: Mapping[str, str | int], emit_item: Callable[[LogItem], None] | None) -> None:
        """``resource`` is read at each installation and each :meth:`rename`."""
        self._settings = settings
        self._resource = resource
        self._emit_item = emit_item
        self._configure = django_log.configure_logging
        self._installation = self._install()
        self.notes = self._installation.notes
        django_log.configure_logging = self._configure_and_renew
        self._undo = ExitStack()
        self._undo.callback(when_imported("celery.signals", self._follow_celery))

    def rename(self) -> None:
        """Lines name the resource of now. No handler is exchanged: one of them may be at work, and have brought us here."""
        self._installation.rename(self._short())

    def remove(self) -> None:
        """Restores everything."""
        self._undo.close()
        if django_log.configure_logging == self._configure_and_renew:
            django_log.configure_logging = self._configure
        self._installation.remove()

    def _install(self) -> logs.Installation:
        for logger in own_loggers():
            # dictConfig() silences what exists and is not named, unless a project's LOGGING says otherwise: access lines, for one.
            logger.disabled = False
        return logs.install(self._settings, self._short(), self._emit_item)

    def _short(self) -> dict[str, str]:
        return {key: str(self._resource[key]) for key in RESOURCE_KEYS if key in self._resource}

    def _configure_and_renew(self, *args: Any, **kwargs: Any) -> None:
        self._installation.remove()  # first, or removing later would undo a part of Django's work
        try:
            self._configure(*args, **kwargs)
        finally:
            self._installation = self._install()

    def _follow_celery(self) -> None:
        """Its handlers stay, with the stream, the file and the level that its command line asked for; what they print is ours."""
        from celery import signals

        # The first after its own set-up; the others after that of a project which hears `setup_logging`.
        for signal in (signals.after_setup_task_logger, signals.celeryd_after_setup, signals.beat_init):
            signal.connect(self._renew, weak=False)
            self._undo.callback(signal.disconnect, self._renew)

    def _renew(self, **_: Any) -> None:
        root = logging.getLogger()
        level = root.level  # what its command line asked for
        self._installation.remove()
        self._installation = self._install()
        root.setLevel(level)
