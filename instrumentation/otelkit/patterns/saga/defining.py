"""What a saga is made of: its steps, each with what undoes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from otelkit.errors import OtelkitError

if TYPE_CHECKING:
    from otelkit.patterns.saga.models import SagaRun

MODULE = "sagas"
"""Module of each installed app that is imported to find its sagas."""


class SagaError(OtelkitError):
    """A saga that is defined or driven in a way that cannot work."""


class Wait(Enum):
    """The answer of a step that has asked somebody, and is done when that one answers (:meth:`Saga.resume`)."""

    WAIT = "wait"


WAIT = Wait.WAIT

Action = Callable[[dict[str, Any]], Wait | None]
"""Gets the saga's data, may change it, and raises where it fails. It may be called again with the same data: make it idempotent."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``undo`` takes back what ``do`` has done in other services; what it wrote to this database is rolled back when it fails."""

    name: str
    do: Action
    undo: Action | None = None
    attempts: int = 1
    """Times that ``do`` is tried before the saga turns back."""


_known: dict[str, Saga] = {}


@dataclass(frozen=True)
class Saga:
    """A kind of saga. Raises SagaError for steps that cannot be told apart, and for a name that another saga has."""

    name: str
    steps: tuple[Step, ...]
    timeout: float = 900.0
    """Seconds after which a saga that is not through turns back."""
    undo_attempts: int = 10
    """Times that each ``undo`` is tried, before somebody has to look."""

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not names or len(set(names)) < len(names):
            raise SagaError(f'The saga "{self.name}" needs steps with names of their own; it has {", ".join(names) or "none"}.')
        before = _known.get(self.name)
        if before is not None and [step.name for step in before.steps] != names:
            raise SagaError(
                f'There are two sagas "{self.name}": with the steps {", ".join(s.name for s in before.steps)}, and {", ".join(names)}.'
            )
        _known[self.name] = self

    def start(self, data: dict[str, Any] | None = None, *, key: str = "", using: str | None = None) -> SagaRun:
        """Stores a new saga, in the caller's transaction if there is one, and goes through its steps once that is committed.

        A second start with the same ``key`` (an order's number) gives the saga that is there, and starts nothing. What a step raises is
        the saga's business, not the caller's. Raises what the database raises.
        """
        from otelkit.patterns.saga.orchestrating import start

        return start(self, data or {}, key, using)

    def resume(self, key: str, data: dict[str, Any] | None = None, *, step: str = "", using: str | None = None) -> bool:
        """The answer that a step waits for: adds ``data`` and goes on. False where it waits no more (or not at ``step``)."""
        from otelkit.patterns.saga.orchestrating import resume

        return resume(self, key, data or {}, step, using)

    def turn_back(self, key: str, why: str, *, step: str = "", using: str | None = None) -> bool:
        """The answer is no: undoes what was done. False where it waits no more (or not at ``step``)."""
        from otelkit.patterns.saga.orchestrating import turn_back

        return turn_back(self, key, why, step, using)

    def find(self, name: str) -> Step | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)

    def after(self, name: str) -> str:
        """The name of the step after this one; empty after the last."""
        names = [step.name for step in self.steps]
        return names[names.index(name) + 1] if name != names[-1] else ""


def sagas() -> dict[str, Saga]:
    """Every saga of the project by its name."""
    from django.utils.module_loading import autodiscover_modules

    autodiscover_modules(MODULE)
    return dict(_known)
