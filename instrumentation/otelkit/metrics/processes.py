"""Which process wrote something, and whether it still runs: a number alone may belong to another process by now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """A process id, and the moment it began as the operating system counts it; empty where that cannot be known."""

    pid: int
    began: str

    @classmethod
    def this(cls) -> Process:
        """The process that asks."""
        return cls(os.getpid(), _stat(os.getpid())[1])

    @classmethod
    def parent(cls) -> Process:
        """The parent of the process that asks: the server, behind a worker."""
        return cls(os.getppid(), _stat(os.getppid())[1])

    def is_alive(self) -> bool:
        """Whether it still runs, and is no other one with the same number."""
        state, began = _stat(self.pid)
        if state:
            return state != "Z" and began == self.began  # a zombie is dead, only nobody has asked for its exit code yet
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass  # it runs, and belongs to another user
        return True

    def is_alive_by_number(self) -> bool:
        """Whether any process with this number runs, whenever it began; for numbers that others wrote down without more."""
        state, _ = _stat(self.pid)
        return state != "Z" if state else Process(self.pid, "").is_alive()

    def plain(self) -> tuple[int, str]:
        """Both fields, for writing down."""
        return self.pid, self.began


def _stat(pid: int) -> tuple[str, str]:
    """State and start time (Linux, proc(5)); empty elsewhere, or where there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
        return fields[0].decode(), fields[19].decode()
    except (OSError, IndexError):
        return "", ""
