"""The project's own prometheus-client metrics in its multi-process mode, with the cleaning that one otherwise writes hooks for.

prometheus-client keeps files per process id, for ever: forty recycled workers are eighty files and a scrape ten times as long. Before each
collection the files of dead processes are folded into one per kind, and gauges of a ``live`` mode go. This runs only where the environment
sets PROMETHEUS_MULTIPROC_DIR, because prometheus-client decides by that when it is imported.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from otelkit.metrics.processes import Process

logger = logging.getLogger("otelkit.metrics")

_FILE = re.compile(r"(counter|histogram|summary|gauge_[a-z]+)_(\d+)\.db")
_FOLDED_PID = 0
"""In the name of the files that hold what dead workers counted; no worker has it."""


def folder_of_environment() -> Path | None:
    """The folder in which prometheus-client shares metrics, where it does."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    return Path(folder) if folder and Path(folder).is_dir() else None


def collect(folder: Path) -> list[Family]:
    """What the project's own metrics say in all workers."""
    with _lock(folder, fcntl.LOCK_EX):
        _fold_dead(folder)
    # Shared: another worker must not fold files away while this one reads them.
    with _lock(folder, fcntl.LOCK_SH):
        families: Iterable[Family] = MultiProcessCollector(None, str(folder)).collect()  # type: ignore[no-untyped-call]
        return list(families)


@contextmanager
def _lock(folder: Path, how: int) -> Iterator[None]:
    with (folder / "otelkit.lock").open("w") as file:
        fcntl.flock(file, how)
        yield


def _fold_dead(folder: Path) -> None:
    for path in folder.glob("*.db"):
        match = _FILE.fullmatch(path.name)
        if match is None or int(match[2]) == _FOLDED_PID or Process(int(match[2]), "").is_alive_by_number():
            continue
        kind, pid = match[1], int(match[2])
        if kind.startswith("gauge_"):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # those of a live mode; the others say that they stay
            continue
        try:
            _fold(path, folder / f"{kind}_{_FOLDED_PID}.db")
        except (OSError, RuntimeError, ValueError):
            logger.warning("%s, which a dead worker left, could not be read; it stays as it is.", path, exc_info=True)


def _fold(dead: Path, into: Path) -> None:
    """Adds the values of a dead worker's file to the one that stays."""
    values = list(MmapedDict.read_all_values_from_file(str(dead)))  # type: ignore[no-untyped-call]
    target = MmapedDict(str(into))  # type: ignore[no-untyped-call]
    try:
        for key, value, timestamp, _ in values:
            target.write_value(key, target.read_value(key)[0] + value, timestamp)  # type: ignore[no-untyped-call]
    finally:
        target.close()  # type: ignore[no-untyped-call]
    dead.unlink()
