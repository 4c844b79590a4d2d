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
from contextlib import suppress
from pathlib import Path
from typing import IO

import otelkit
from otelkit.config import Service

MAX_SLOTS = 512
"""More workers of one service on one host than this share the last slots' naming by process id."""

_TRIES = 5


class Slot:
    """A worker's stable position on its host: the lowest number whose lock file nobody holds.

    A random id per process would start new series at every restart (Prometheus calls it churn); a slot is taken over by the next worker.
    The operating system releases the lock when the process dies, however it dies; one that ends in good order leaves no file behind.
    """

    __slots__ = ("_file", "_pid", "number")

    def __init__(self, service: str, folder: Path | None = None) -> None:
        self._file: IO[str] | None = None
        self._pid = os.getpid()
        self.number: int | str = f"pid{self._pid}"
        name = re.sub(r"[^A-Za-z0-9._-]", "_", service) or "service"
        for _ in range(_TRIES):
            try:
                home = _own(folder or Path(tempfile.gettempdir()) / _home()) / name
                home.mkdir(exist_ok=True, mode=0o700)
                for number in range(MAX_SLOTS):
                    file = _locked(home / f"slot-{number}.lock")
                    if file is not None:
                        self._file, self.number = file, number
                        return
            except FileNotFoundError:
                continue  # a worker that ended just then has taken the empty folder away
            except OSError:
                return  # no folder to write in: the process id is unique enough

    def release(self) -> None:
        """Lets the next worker have this slot. A child process lets go of its copy of the lock, and its parent keeps the slot."""
        if self._file:
            if self._pid == os.getpid():
                path = Path(self._file.name)
                with suppress(OSError):  # not empty: another worker's slot is there
                    path.unlink()
                    path.parent.rmdir()
                    if path.parent.parent.name == _home():
                        path.parent.parent.rmdir()
            self._file.close()
            self._file = None


def _home() -> str:
    return f"otelkit-{os.getuid()}"


def _locked(path: Path) -> IO[str] | None:
    """The file, made and locked; None where somebody holds it."""
    while True:
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        # Who held it may have taken the file away between our opening and our locking it: then ours is nobody else's, too.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


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
