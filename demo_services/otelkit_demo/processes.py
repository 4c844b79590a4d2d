"""Child processes that never outlive their supervisor, however it ends.

Each child leads a process group of its own, so that Ctrl-C reaches the supervisor alone and it decides the order of
stopping; on Linux the kernel also tells the children when the supervisor is killed without a chance to say so.
"""

from __future__ import annotations

import contextlib
import ctypes
import enum
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


class Tier(enum.IntEnum):
    """Who ends when: the highest first, and all of one tier at once."""

    STACK = 0
    """Ends last: it takes what the others send while they end."""
    SERVICES = 1
    LOAD = 2


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and where it writes. ``name`` begins with that of the service it belongs to, ``-`` and what it does there."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float
    tier: Tier
    ends: bool
    """Whether it is expected to end by itself, with exit code 0."""

    @property
    def service(self) -> str:
        """The service it belongs to."""
        return self.name.partition("-")[0]

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
    """The children, as a context: leaving it ends them all, tier by tier."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._hurried = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], tier: Tier, *, ends: bool = False) -> Child:
        """Start ``python -m arguments``, its output going to ``logs/<name>.log``.

        Call it from the main thread and before other threads run: the kernel's notice is tied to the thread that starts the
        child, and the code between fork and exec must find no lock held.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter, and arguments from our own tables
                [sys.executable, "-m", *arguments],
                env=dict(environment),
                cwd=self._logs.parent,  # what a program leaves where it runs is gone with the rest
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_end_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - see the docstring
            )
        child = Child(name, process, log, time.monotonic(), tier, ends)
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
        """End every child, tier by tier: each is asked, and killed with its whole group where it does not listen."""
        while self._children:
            tier = max(child.tier for child in self._children)
            self.end(*(child for child in self._children if child.tier is tier))

    def end(self, *children: Child) -> None:
        """End these children, all at once, in the way of :meth:`stop`."""
        for child in children:
            self._children.remove(child)
            child.process.terminate()
        patience = time.monotonic() + STOP_SECONDS
        while any(child.process.poll() is None for child in children) and time.monotonic() < patience and not self._hurried:
            time.sleep(0.02)
        for child in children:
            _kill_group(child)
            child.process.wait()

    @property
    def children(self) -> tuple[Child, ...]:
        """Who runs."""
        return tuple(self._children)


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
