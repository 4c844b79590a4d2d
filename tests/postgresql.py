"""A real PostgreSQL for tests: in a folder of its own, reached through a socket in that folder, stopped by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.backends import wait_until

USER = "tests"
_UNPRIVILEGED = ("postgres", "nobody")
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running server. ``settings`` is what goes into DATABASES."""

    folder: Path
    process: subprocess.Popen[bytes]

    def settings(self, **options: Any) -> dict[str, Any]:
        """An entry of Django's DATABASES, with psycopg's options."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": USER,
            "HOST": str(self.folder),
            "PORT": "5432",
            "OPTIONS": options,
        }


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Starts one. Skips the calling test where PostgreSQL or psycopg is missing, or nobody is there to run it as."""
    pytest.importorskip("psycopg", reason="psycopg is not installed; it comes with otelkit[postgres].")
    bin_folder, owner = _programs(), _owner()
    # Not pytest's folder: a socket's path may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="otelkit-pg-"))
    try:
        if owner is not None:
            os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
        as_owner: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C", "PATH": os.defpath}}
        if owner is not None:  # PostgreSQL refuses to run as root
            as_owner |= {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}
        initdb = [bin_folder / "initdb", "-D", folder / "data", "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, check=False, **as_owner)
        if made.returncode:
            pytest.skip(f"initdb cannot make a PostgreSQL in {folder}: {made.stderr.strip()[-500:]}")
        command = [bin_folder / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        log = folder / "log"
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, **as_owner) as process:
            try:
                wait_until(lambda: _answers(folder, process, log), _READY_SECONDS, "PostgreSQL does not answer")
                yield PostgreSQL(folder, process)
            finally:
                process.send_signal(signal.SIGINT)  # fast shutdown: does not wait for open connections
                process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path, process: subprocess.Popen[bytes], log: Path) -> bool:
    import psycopg

    if process.poll() is not None:
        raise RuntimeError(f"PostgreSQL ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    try:
        psycopg.connect(host=str(folder), user=USER, dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@cache
def _programs() -> Path:
    """The folder of initdb and postgres. Debian keeps them off PATH."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("PostgreSQL is not installed: neither is initdb on PATH nor is there a /usr/lib/postgresql/*/bin.")


@cache
def _owner() -> str | None:
    """Whom the server runs as: an unprivileged user where the tests run as root, otherwise whoever runs them."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in known:
            return name
    pytest.skip(f"The tests run as root, PostgreSQL must not, and there is none of the users {', '.join(_UNPRIVILEGED)}.")
