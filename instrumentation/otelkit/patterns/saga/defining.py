"""What a saga is made of: its steps, each with what undoes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otelkit.patterns.saga import parts
from otelkit.patterns.saga.parts import SagaError, Step

if TYPE_CHECKING:
    from otelkit.patterns.saga.models import SagaRun


@dataclass(frozen=True)
class Saga:
    """A kind of saga. Raises SagaError for steps that cannot be told apart, and for a name that another saga has."""

    name: str
    steps: tuple[Step, ...]
    timeout: float = 900.0
    """Seconds after which a saga that is not through turns back."""
    undo_attempts: int = 10
    """Times that each ``undo`` is tried, before somebody has to look."""
    lease: float = parts.LEASE
    """Seconds that a step may take. After them its process is taken for dead, and the step is taken again, by the sweeper."""

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not names or len(set(names)) < len(names):
            raise SagaError(f'The saga "{self.name}" needs steps with names of their own; it has {", ".join(names) or "none"}.')
        before = parts.known.get(self.name)
        if before is not None and [step.name for step in before.steps] != names:
            raise SagaError(
                f'There are two sagas "{self.name}": with the steps {", ".join(s.name for s in before.steps)}, and {", ".join(names)}.'
            )
        parts.known[self.name] = self

    def start(self, data: dict[str, Any] | None = None, *, key: str = "", using: str | None = None) -> SagaRun:
        """Stores a new saga, in the caller's transaction if there is one, and goes through its steps once that is committed.

        A second start with the same ``key`` (an order's number) gives the saga that is there, and starts nothing. What a step raises is
        the saga's business, not the caller's. Raises what the database raises.
        """
        from otelkit.patterns.saga.orchestrating import start

        return start(self, data or {}, key, using)

    def resume(self, key: str, data: dict[str, Any] | None = None, *, step: str = "", using: str | None = None) -> bool:
        """The answer that a step waits for: adds ``data`` and goes on. False where it waits no more (or not at ``step``).

        Where the step that asked is still being taken, the answer is kept for it, and dropped with a warning if it does not wait. Name the
        step, so that an answer that comes twice is not taken for one to the step after it.
        """
        from otelkit.patterns.saga.answering import resume

        return resume(self, key, data or {}, step, using)

    def turn_back(self, key: str, why: str, *, step: str = "", using: str | None = None) -> bool:
        """The answer is no: undoes what was done. False where it waits no more (or not at ``step``). In time as in :meth:`resume`."""
        from otelkit.patterns.saga.answering import turn_back

        return turn_back(self, key, why, step, using)

    def find(self, name: str) -> Step | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)

    def after(self, name: str) -> str:
        """The name of the step after this one; empty after the last."""
        names = [step.name for step in self.steps]
        return names[names.index(name) + 1] if name != names[-1] else ""
