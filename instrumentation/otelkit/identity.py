"""Who this process is: the resource, and the worker slot that keeps its identity stable over restarts."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import socket
import stat
import sys
import tempfile
from pathlib import Path
from typing import IO

import otelkit
from otelkit.config import Service

MAX_SLOTS = 512
"""More workers of one service on one host than this share the last slots' naming by process id."""


class Slot:
    """A worker's stable position on its host: the lowest number whose lock file nobody holds.

    A random id per process would start new series at every restart (Prometheus calls it churn); a slot is taken over by the next worker.
    The operating system releases the lock when the process dies, however it dies.
    """

    __slots__ = ("_file", "number")

    def __init__(self, service: str, folder: Path | None = None) -> None:
        self._file: IO[str] | None = None
        self.number: int | str = f"pid{os.getpid()}"
        name = re.sub(r"[^A-Za-z0-9._-]", "_", service) or "service"
        try:
            home = _own(folder or Path(tempfile.gettempdir()) / f"otelkit-{os.getuid()}") / name
            home.mkdir(exist_ok=True, mode=0o700)
            for number in range(MAX_SLOTS):
                file = (home / f"slot-{number}.lock").open("a")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    continue
                self._file, self.number = file, number
                return
        except OSError:
            return  # no folder to write in: the process id is unique enough

    def release(self) -> None:
        """Lets the next worker have this slot."""
        if self._file:
            self._file.close()
            self._file = None


def _own(folder: Path) -> Path:
    """The folder, made where it lacks. Raises PermissionError where others can write in it: they could lay links to our files."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} can be written by others.")
    return folder


def service_name(service: Service) -> str:
    """The configured name, or one found in the project: the package that holds its URLs or its settings."""
    if service.name:
        return service.name
    from django.conf import settings  # only a started project has them

    module = getattr(settings, "ROOT_URLCONF", None) or os.environ.get("DJANGO_SETTINGS_MODULE", "")
    parts = [part for part in str(module).split(".") if part not in ("urls", "settings", "config")]
    return parts[-1] if parts else "unknown_service"


def resource_attributes(service: Service) -> dict[str, str | int]:
    """The OpenTelemetry resource, which every span, metric and log line carries, but for :func:`instance_attributes`.

    Empty values are left out.
    """
    host = socket.gethostname()
    attributes: dict[str, str | int] = {
        **service.attributes,
        "service.name": service_name(service),
        "service.namespace": service.namespace,
        "service.version": service.version,
        "vcs.ref.head.revision": service.revision,
        "service.owner": service.owner,
        "service.criticality": service.criticality,
        "deployment.environment.name": service.environment,
        "host.name": service.attributes.get("host.name") or host,
        "process.runtime.name": platform.python_implementation().lower(),
        "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": _sdk_version(),
        "telemetry.distro.name": "otelkit",
        "telemetry.distro.version": otelkit.__version__,
    }
    return {key: value for key, value in attributes.items() if value != ""}


def instance_attributes(service: Service, slot: Slot) -> dict[str, str | int]:
    """What the resource says of this process alone, from when it has begun."""
    name = service.attributes.get("service.instance.id") or f"{socket.gethostname()}:{slot.number}"
    return {"service.instance.id": name, "process.pid": os.getpid()}


def _sdk_version() -> str:
    from importlib.metadata import version

    return version("opentelemetry-sdk")
