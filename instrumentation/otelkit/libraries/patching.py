"""Functions of a library that ours stand in for, and how they come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

_LONGEST_CHAIN = 32

_in_use: WeakSet[Patches] = WeakSet()


@dataclass(frozen=True, slots=True)
class Displaced:
    """A function of ours that somebody has replaced since, and does not call."""

    place: str
    """``httpx.Client.send``."""
    by: str
    """The module of what stands there now."""


class Patches:
    """What one library's file has replaced. True while there is something to restore."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any]] = []
        self._ours: list[tuple[Any, str, Any]] = []

    def __bool__(self) -> bool:
        return bool(self._replaced)

    @property
    def replaced(self) -> list[str]:
        """``Session.send`` for each."""
        return [f"{owner.__name__}.{name}" for owner, name, _ in self._replaced]

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Puts ``make(original)`` in the place of an attribute that ``owner`` has itself. Raises KeyError where it has none."""
        original = vars(owner)[name]  # not getattr(): a property or a static method must come back as what it is
        setattr(owner, name, make(original))
        self._replaced.append((owner, name, original))
        self._ours.append((owner, name, vars(owner)[name]))
        _in_use.add(self)

    def restore(self) -> None:
        """Puts every original back, the last first."""
        while self._replaced:
            owner, name, original = self._replaced.pop()
            setattr(owner, name, original)
        self._ours.clear()

    def displaced(self) -> list[Displaced]:
        """Which of them others have replaced since: what they do with a call, nobody sees."""
        found = []
        for owner, name, ours in self._ours:
            now = vars(owner).get(name)
            if not _leads_to(now, ours):
                place = f"{getattr(owner, '__module__', owner.__name__)}.{owner.__name__}.{name}"
                found.append(Displaced(place, str(getattr(now, "__module__", None) or type(now).__module__)))
        return found


def displaced() -> list[Displaced]:
    """Of all libraries that are followed."""
    return [found for patches in list(_in_use) for found in patches.displaced()]


def _leads_to(now: Any, ours: Any) -> bool:
    """Whether this is ours, or wraps it as `functools.wraps` and `wrapt` do."""
    for _ in range(_LONGEST_CHAIN):
        if now is ours:
            return True
        now = getattr(now, "__wrapped__", None)
        if now is None:
            return False
    return False
