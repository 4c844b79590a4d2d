"""One alert, from the first sight of its series to 15 minutes after its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otelkit_stack.promql.labels import Labels


class State(Enum):
    """What an alert does; of a rule, what the worst of its alerts does."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(slots=True)
class Alert:
    """Times are milliseconds since the epoch; None for what has not happened."""

    labels: Labels
    annotations: Labels
    value: float
    active_at: int
    """When its series was first seen."""
    state: State = State.PENDING
    fired_at: int | None = None
    resolved_at: int | None = None
    last_sent_at: int | None = None
    valid_until: int | None = None
    """When Alertmanager takes it for resolved if it hears nothing more."""
    keep_firing_since: int | None = None

    def needs_sending(self, now: int, resend_ms: int) -> bool:
        """Whether Alertmanager must hear of it now."""
        if self.state is State.PENDING:
            return False
        if self.last_sent_at is None:
            return True
        if self.resolved_at is not None and self.resolved_at > self.last_sent_at:
            return True
        return self.last_sent_at + resend_ms < now


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert's state, for the history."""

    time_ms: int
    rule: str
    labels: Labels
    before: State
    after: State
    value: float
