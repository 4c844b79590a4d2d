"""The data folder of one run: databases, logs, flag file. One demo at a time lives in it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from otelkit_demo.errors import DemoError

DEFAULT_FOLDER = Path(".otelkit/demo")
"""Emptied at each start; a folder given with ``--data`` is kept."""

_LOCK = "demo.lock"


def flag_file(folder: Path) -> Path:
    """Where the demo in ``folder`` reads its faults from."""
    return folder / "faults.json"


def deploy_file(folder: Path) -> Path:
    """Where the demo in ``folder`` reads from which services run a second version."""
    return folder / "deploys.json"


@contextmanager
def demo_folder(asked: Path | None) -> Iterator[Path]:
    """The absolute folder, made and locked. Raises DemoError where another demo lives in it, or it cannot be written."""
    folder = (asked or DEFAULT_FOLDER).absolute()
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            held.callback(os.close, lock)
            _take(lock, folder)
            if asked is None:
                _empty(folder)
            (folder / "logs").mkdir(exist_ok=True)
            (folder / "broker").mkdir(exist_ok=True)
        except OSError as error:
            raise DemoError(f"The folder {folder} cannot be written: {error.strerror}. Give another with --data DIR.") from error
        yield folder


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
        raise DemoError(
            f"A demo runs in {folder} already (pid {owner}). Stop it, or give this one a folder of its own with --data DIR."
        ) from error
    os.pwrite(lock, f"{os.getpid():<19}\n".encode(), 0)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == _LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
