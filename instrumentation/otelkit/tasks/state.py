"""The task that this thread, process or coroutine runs."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass
from time import perf_counter

from opentelemetry.context import Context
from opentelemetry.trace import Span


@dataclass(slots=True)
class TaskState:
    """One attempt of a task under way."""

    name: str
    id: str
    queue: str
    span: Span
    waited: float | None
    """Seconds between the moment it was due and its begin, where its message says."""
    is_scheduled: bool
    started: float
    outcome: str = "ok"
    token: Token[Context] | None = None
    state_token: Token[TaskState | None] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return perf_counter() - self.started


CURRENT_TASK: ContextVar[TaskState | None] = ContextVar("otelkit_task", default=None)
"""The innermost task that runs here, or None."""
