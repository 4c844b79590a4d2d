"""What the checks say about a project that is a few settings away from the tests' own, which has nothing wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.test import override_settings
from django.utils.log import configure_logging

from otelkit.checks import Project, findings
from otelkit.config import load


@dataclass(frozen=True)
class Site:
    """A project, by what it sets: ``OTELKIT``, the environment, and Django's settings."""

    otelkit: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    django: Mapping[str, Any] = field(default_factory=dict)
    is_named: bool = True

    def found(self) -> list[tuple[str, str, str]]:
        """Id, message and hint of each finding."""
        service = {"service": {"name": "shop"}} if self.is_named else {}
        with override_settings(**self.django), a_logging({}):
            config = load({**service, **self.otelkit}, self.environ, debug=django_settings.DEBUG)
            return look(Project(config, self.environ, django_settings))


def look(project: Project) -> list[tuple[str, str, str]]:
    """Id, message and hint of each finding."""
    return [(check.id, finding.message, finding.hint) for check, finding in findings(project)]


@contextmanager
def a_logging(settings: Mapping[str, Any]) -> Iterator[None]:
    """The logging of a fresh process with this ``LOGGING``; pytest's own handlers are away meanwhile."""
    known = [logging.getLogger(), *(item for item in logging.getLogger().manager.loggerDict.values() if isinstance(item, logging.Logger))]
    with ExitStack() as undo:
        for logger in known:
            undo.callback(logger.__dict__.update, logger.__dict__ | {"handlers": list(logger.handlers), "filters": list(logger.filters)})
            logger.handlers.clear()
        configure_logging("logging.config.dictConfig", dict(settings))
        yield
        for logger in (logging.getLogger(), *logging.getLogger().manager.loggerDict.values()):
            if not isinstance(logger, logging.Logger):
                continue
            for handler in logger.handlers:
                handler.close()  # those of this LOGGING; the others come back with their loggers
            if logger not in known:
                logger.handlers.clear()
                logger.propagate, logger.disabled = True, False
