"""Functions of a library that ours stand in for, and how they come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Patches:
    """What one library's file has replaced. True while there is something to restore."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any]] = []

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

    def restore(self) -> None:
        """Puts every original back, the last first."""
        while self._replaced:
            owner, name, original = self._replaced.pop()
            setattr(owner, name, original)
