"""What each child process is told through its environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from otelkit_demo.faults import FLAG_FILE_VARIABLE, GOOD_VERSION, VERSION_VARIABLE
from otelkit_demo.folder import flag_file
from otelkit_demo.manifest import Service
from otelkit_demo.ports import HOST

METRIC_INTERVAL_MS = 5000
"""Shorter than otelkit's default, because whoever starts a demo wants to see something."""

_OURS = ("OTEL_", "OTELKIT_", "DJANGO_", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY", "DATABASE_URL", "SHOP_SECRET")
_SILENT = {"OTEL_SDK_DISABLED": "true"}


def _made_up() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Run:
    """What all processes of one run share: a folder, the ports by name, and two secrets that nobody has to know."""

    folder: Path
    ports: Mapping[str, int]
    django_secret: str = field(default_factory=_made_up, repr=False)
    shop_secret: str = field(default_factory=_made_up, repr=False)
    observed: bool = True
    """Whether otelkit is on in the services."""


def clean_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The user's environment without what would steer the demo: an exported OTEL_SERVICE_NAME would name every service alike.

    A proxy that the user goes through to the world outside is not for neighbours on the loopback.
    """
    kept = {name: value for name, value in inherited.items() if not name.startswith(_OURS)}
    near = ",".join(filter(None, (kept.get("NO_PROXY") or kept.get("no_proxy"), HOST, "localhost")))
    return {**kept, "NO_PROXY": near, "no_proxy": near}


def service_environment(service: Service, run: Run, *, version: str = GOOD_VERSION) -> dict[str, str]:
    """The environment of one Django service: its database, its neighbours, the broker, the stack and the flag file."""
    return {
        **clean_environment(),
        **{variable: url(run.ports[name]) for variable, name in service.peers},
        "DJANGO_SETTINGS_MODULE": service.settings,
        "DJANGO_SECRET_KEY": run.django_secret,
        "SHOP_SECRET": run.shop_secret,
        "DATABASE_URL": f"sqlite:///{quote(str(run.folder / service.name))}.sqlite3",
        "OTELKIT_EVENTS_BROKER": f"filesystem://{quote(str(run.folder / 'broker'))}",
        FLAG_FILE_VARIABLE: str(flag_file(run.folder)),
        VERSION_VARIABLE: version,
        # Two versions of a service listen at one port, side by side.
        "GUNICORN_CMD_ARGS": "--reuse-port",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(run.ports["stack"]),
        "OTEL_LOGS_EXPORTER": "otlp,console",
        "OTEL_METRIC_EXPORT_INTERVAL": str(METRIC_INTERVAL_MS),
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name=demo,service.version={version}",
        **({} if run.observed else _SILENT),
    }


def migration_environment(service: Service, run: Run) -> dict[str, str]:
    """The environment in which a service's database is migrated: silent, because the stack may not listen yet."""
    return {**service_environment(service, run), **_SILENT}


def url(port: int) -> str:
    """The loopback address of a port, without a slash at its end."""
    return f"http://{HOST}:{port}"
