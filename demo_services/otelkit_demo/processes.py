"""Child processes that never outlive their supervisor, however it ends.

Each child leads a process group of its own, so that Ctrl-C reaches the supervisor alone and it decides the order of
stopping; on Linux the kernel also tells the children when the supervisor is killed without a chance to say so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from otelkit_demo.errors import ChildDiedError

STOP_SECONDS = 8.0
"""How long a child may take to end when asked to. Above the servers' graceful timeout and the exporter's shutdown bound."""

LAST_LINES = 15
LAST_WIDTH = 240
"""How much of a dead child's log is shown: a traceback as it is, and of a JSON line its message."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float
    ends: bool
    """Whether it is expected to end by itself, with exit code 0."""

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self.process.pid

    def last_lines(self) -> str:
        """The end of its log, indented and cut to readable width, and where the rest is."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        shown = [f"    {line if len(line) <= LAST_WIDTH else line[:LAST_WIDTH] + '...'}" for line in lines] or ["    (it wrote nothing)"]
        return "\n".join([*shown, f"The whole log is {self.log}"])


class Family:
    """The children, as a context: leaving it ends them all, the latest first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._hurried = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], *, ends: bool = False) -> Child:
        """Start ``python -m arguments``, its output going to ``logs/<name>.log``.

        Call it from the main thread and before other threads run: the kernel's notice is tied to the thread that starts the
        child, and the code between fork and exec must find no lock held.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, and arguments from our own tables
                [sys.executable, "-m", *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_end_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - see the docstring
            )
        child = Child(name, process, log, time.monotonic(), ends)
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raises ChildDiedError, with the child's last log lines, where one has ended that should not, or has failed."""
        for child in tuple(self._children):
            code = child.process.poll()
            if code is None:
                continue
            self._children.remove(child)
            _kill_group(child)
            if code or not child.ends:
                raise ChildDiedError(f"{child.name} died ({_ending(code)}). Its last lines:\n{child.last_lines()}")

    def hurry(self) -> None:
        """Let :meth:`stop` kill what still runs instead of waiting for it. Safe in a signal handler."""
        self._hurried = True

    def stop(self) -> None:
        """End every child: the latest first, each being asked, and killed with its whole group where it does not listen."""
        # The latest first: load before services, services before the stack, which still takes their last telemetry.
        while self._children:
            child = self._children.pop()
            child.process.terminate()
            patience = time.monotonic() + STOP_SECONDS
            while child.process.poll() is None and time.monotonic() < patience and not self._hurried:
                time.sleep(0.02)
            _kill_group(child)
            child.process.wait()


def resident_bytes(group: int) -> int | None:
    """Resident memory of a process group, or None where the system has no ``/proc``. Pages shared by forks count once a process."""
    proc = Path("/proc")
    if not (proc / "self/stat").exists():
        return None
    pages = 0
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            # The name, in parentheses, may hold spaces: the fields are counted after it (proc(5): pgrp is 5, rss is 24).
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == group:
                pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _kill_group(child: Child) -> None:
    # The group may hold workers although its leader is gone.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _end_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing but the call may happen between fork and exec

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the supervisor died before we asked
            os._exit(1)

    return ask


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
