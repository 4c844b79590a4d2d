"""What each child process is told through its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from otelkit_demo.faults import FLAG_FILE_VARIABLE
from otelkit_demo.folder import flag_file
from otelkit_demo.manifest import Service
from otelkit_demo.ports import HOST

METRIC_INTERVAL_MS = 5000
"""Shorter than otelkit's default, because whoever starts a demo wants to see something."""

_OURS = ("OTEL_", "OTELKIT_", "DJANGO_", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY", "DATABASE_URL")


def clean_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The user's environment without what would steer the demo: an exported OTEL_SERVICE_NAME would name every service alike."""
    return {name: value for name, value in inherited.items() if not name.startswith(_OURS)}


def service_environment(service: Service, folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The environment of one Django service: its database, its neighbours, the stack and the flag file."""
    return {
        **clean_environment(),
        **{variable: url(ports[name]) for variable, name in service.peers},
        "DJANGO_SETTINGS_MODULE": service.settings,
        "DATABASE_URL": f"sqlite:///{quote(str(folder / service.name))}.sqlite3",
        FLAG_FILE_VARIABLE: str(flag_file(folder)),
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(ports["stack"]),
        "OTEL_LOGS_EXPORTER": "otlp,console",
        "OTEL_METRIC_EXPORT_INTERVAL": str(METRIC_INTERVAL_MS),
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=demo",
    }


def migration_environment(service: Service, folder: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """The environment in which a service's database is migrated: silent, because the stack may not listen yet."""
    return {**service_environment(service, folder, ports), "OTEL_SDK_DISABLED": "true"}


def url(port: int) -> str:
    """The loopback address of a port, without a slash at its end."""
    return f"http://{HOST}:{port}"
