"""What is known of the server that this process belongs to, and of the calls that led here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import FrameType
from typing import Any


class Role(Enum):
    """What this process is to its server."""

    MASTER = "master"
    """It loads the application and forks; it answers no request itself."""
    WORKER = "worker"
    """It answers requests, from now on."""
    UNKNOWN = "unknown"
    """A script, a command, or a server that we do not know."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and this process's part in it."""

    name: str
    role: Role
    capacity: int | None = None
    """Requests that this worker can work on at once; None where the server sets no bound."""
    warning: str = ""
    """What its operator must know, in one line; empty where everything is as it should be."""
    after_loading: Callable[[Callable[[], None]], None] = lambda begin: begin()
    """Calls what it is given when the worker is itself: forked, with its own privileges, and in its own event loop."""

    def __str__(self) -> str:
        if self.role is Role.UNKNOWN:
            return "no server that is known; begins with the first thing that is recorded"
        if self.role is Role.MASTER:
            return f"{self.name}'s master; waits, its workers begin"
        return f"{self.name}'s worker" + (f", {self.capacity} requests at once" if self.capacity else "")


UNKNOWN = Server("", Role.UNKNOWN)


class Calls:
    """The calls that led here, innermost first: where a server loads the application says what the process is to it."""

    def __init__(self, frame: FrameType | None = None) -> None:
        self._frames: list[FrameType] = []
        frame = frame or sys._getframe(1)
        while frame is not None:
            self._frames.append(frame)
            frame = frame.f_back

    def of(self, package: str) -> Calls:
        """Those of one package."""
        found = Calls.__new__(Calls)
        found._frames = [frame for frame, module in zip(self._frames, self.modules, strict=True) if _is_in(module, package)]
        return found

    def __bool__(self) -> bool:
        return bool(self._frames)

    @property
    def modules(self) -> Sequence[str]:
        """Names of the modules that the calls are in."""
        return [str(frame.f_globals.get("__name__", "")) for frame in self._frames]

    def instance(self, module: str, kind: str) -> Any:
        """The innermost object of a class of this module that one of the calls holds in a variable, or None."""
        loaded = sys.modules.get(module)  # not by an import: who is called here is loaded
        return next((value for value in self._values() if isinstance(value, getattr(loaded, kind))), None) if loaded else None

    def _values(self) -> Iterator[object]:
        for frame in self._frames:
            yield from frame.f_locals.values()


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
