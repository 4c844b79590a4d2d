"""Checks of outbox and inbox: whether the broker of the settings can carry anything."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from otelkit.checks.check import Finding, Project, check
from otelkit.installed import is_installed

_APP = "otelkit.patterns.events"


@check("W090")
def broker_s_package_is_missing(project: Project) -> Iterator[Finding]:
    """The broker of the setting events.broker needs a package that is not installed here: relay and consumers cannot run in this place."""
    scheme = _scheme(project)
    needed = {"kombu": "pip install 'otelkit[events]'"} | ({"redis": "pip install redis"} if scheme in ("redis", "rediss") else {})
    for package, command in needed.items():
        if scheme and not is_installed(package):
            yield Finding(
                f"{project.where('events.broker')} is an address of {scheme}://, but {package} is not installed.",
                f"Install it with:  {command}   (a process that only publishes does not need it)",
            )


@check("W091")
def broker_ends_with_the_process(project: Project) -> Iterator[Finding]:
    """The setting events.broker is memory://, a broker that no other process reaches and that ends with this one; only tests want it."""
    if _scheme(project) == "memory" and not project.settings.DEBUG:
        yield Finding(
            f"{project.where('events.broker')} is memory://, which no other process reaches.",
            "Use amqp://, redis:// or, on one machine, filesystem:///var/spool/events.",
        )


def _scheme(project: Project) -> str:
    is_there = any(str(app).startswith(_APP) for app in project.settings.INSTALLED_APPS)
    return urlsplit(project.config.events.broker).scheme if is_there else ""


CHECKS = (broker_s_package_is_missing, broker_ends_with_the_process)
