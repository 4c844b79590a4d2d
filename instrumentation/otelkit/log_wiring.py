"""Keeps log lines wired when Django configures logging once more, and true when this process learns who it is.

``django.setup()`` runs twice under runserver: for the command, and again in ``get_wsgi_application()``. Each time Django's console handlers
come back, so that its lines would be printed twice, and a project's ``LOGGING`` throws our handlers out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import log as django_log

from otelkit import logs
from otelkit.catalog.logs import RESOURCE_KEYS
from otelkit.config import Logs
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

    def rename(self) -> None:
        """Lines name the resource of now. No handler is exchanged: one of them may be at work, and have brought us here."""
        self._installation.rename(self._short())

    def remove(self) -> None:
        """Restores everything."""
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
