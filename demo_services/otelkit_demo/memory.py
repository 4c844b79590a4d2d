"""How much memory the demo takes, as the system counts it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Taken:
    """What some processes take. ``memory`` is in bytes."""

    processes: int
    memory: int

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.processes + other.processes, self.memory + other.memory)


NOTHING = Taken(0, 0)


def taken_by(groups: Iterable[int]) -> dict[int, Taken] | None:
    """What the processes of each process group take, or None where the system has no ``/proc``.

    Pages that workers share with the process they were forked from count once: proportional set size (proc(5), smaps_rollup).
    """
    if not (_PROC / "self/smaps_rollup").exists():
        return None
    found = dict.fromkeys(groups, NOTHING)
    for stat in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked, or is somebody else's
            group = _group(stat)
            if group in found:
                found[group] += Taken(1, _proportional(stat.with_name("smaps_rollup")))
    return found


def taken_by_me() -> Taken:
    """What this process takes."""
    return Taken(1, _proportional(_PROC / str(os.getpid()) / "smaps_rollup"))


def _group(stat: Path) -> int:
    # The name, in parentheses, may hold spaces: the fields are counted after it (pgrp is the fifth).
    return int(stat.read_text(errors="replace").rpartition(")")[2].split()[2])


def _proportional(rollup: Path) -> int:
    for line in rollup.read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
