"""Runs the checks: for Django's own ``check``, and for ``otelkit status`` and ``otelkit doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks as django_checks

from otelkit.checks import celery, configuration, endpoints, environment, events, labels, log_handlers, middlewares, packages, proxies, pull
from otelkit.checks.check import Check, Finding, Project, check
from otelkit.config import load
from otelkit.errors import ConfigError
from otelkit.startup import config_of_project


@check("W099")
def check_failed(_: Project) -> Iterator[Finding]:
    """A check of the kit's own failed, whatever it looked at; the others ran."""
    return iter(())


CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *configuration.CHECKS,
            *environment.CHECKS,
            *endpoints.CHECKS,
            *middlewares.CHECKS,
            *packages.CHECKS,
            *log_handlers.CHECKS,
            *pull.CHECKS,
            *proxies.CHECKS,
            *celery.CHECKS,
            *events.CHECKS,
            *labels.CHECKS,
            check_failed,
        ),
        key=lambda found: found.id,
    )
)
"""Every check, errors first."""


def project_of_this_process() -> Project:
    """What the checks look at, in the process of a Django project."""
    try:
        return Project(config_of_project(), os.environ, settings)
    except ConfigError as error:
        return Project(load({}, {}), os.environ, settings, error.problems)


def findings(project: Project) -> Iterator[tuple[Check, Finding]]:
    """Everything that is wrong with the project. Asks no database and no other machine, and never raises."""
    if project.problems:
        yield from ((configuration.unusable_settings, finding) for finding in configuration.unusable_settings.find(project))
        return
    if not project.config.enabled:
        return
    for found in CHECKS:
        try:
            yield from ((found, finding) for finding in found.find(project))
        except Exception as error:  # noqa: BLE001  (a check of ours must not stop a deploy)
            yield (
                check_failed,
                Finding(
                    f"The check {found.full_id} failed itself: {type(error).__name__}: {error}",
                    f'Please report it; SILENCED_SYSTEM_CHECKS = ["{check_failed.full_id}"] hides this.',
                ),
            )


def unsilenced(project: Project) -> list[tuple[Check, Finding]]:
    """The findings that SILENCED_SYSTEM_CHECKS does not hide."""
    return [(found, finding) for found, finding in findings(project) if found.full_id not in project.settings.SILENCED_SYSTEM_CHECKS]


def report(app_configs: Sequence[AppConfig] | None = None) -> list[django_checks.CheckMessage]:
    """The findings as Django's messages. Nothing where Django asks about other apps than this one."""
    if app_configs is not None and not any(config.name == "otelkit" for config in app_configs):
        return []
    messages: list[django_checks.CheckMessage] = []
    for found, finding in findings(project_of_this_process()):
        kind = django_checks.Error if found.is_error else django_checks.Warning
        messages.append(kind(finding.message, hint=finding.hint, id=found.full_id))
    return messages
