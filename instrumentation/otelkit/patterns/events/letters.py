"""Dead letters, and what is done: looked at, sent again, thrown away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from otelkit.patterns.events.models import InboxEvent, InboxState, OutboxEvent, OutboxState


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that was given up. ``number`` is what ``replay`` takes."""

    number: int
    event_id: str
    what: str
    """Its type, or of an incoming one its consumer."""
    destination: str
    aggregate: str
    attempts: int
    since: str
    error: str

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        of = f" of {self.aggregate}" if self.aggregate else ""
        about = f"{self.what} at {self.destination}{of}, {self.attempts} attempts"
        return f"{self.number:>8}  {self.since}  {about}: {self.error} ({self.event_id})"


def dead_in_outbox(using: str, at_most: int) -> list[DeadLetter]:
    """The oldest events that no broker took."""
    rows = OutboxEvent.objects.using(using).filter(state=OutboxState.DEAD).order_by("id")[:at_most]
    return [
        DeadLetter(row.id, row.event_id, row.type, row.destination, row.aggregate, row.attempts, _moment(row.created_at), row.error)
        for row in rows
    ]


def dead_in_inbox(using: str, at_most: int) -> list[DeadLetter]:
    """The oldest events that a consumer gave up."""
    rows = InboxEvent.objects.using(using).filter(state=InboxState.DEAD).order_by("id")[:at_most]
    return [
        DeadLetter(row.id, row.event_id, row.consumer, row.destination, row.aggregate, row.attempts, _moment(row.received_at), row.error)
        for row in rows
    ]


def replay_outbox(using: str, numbers: Sequence[int] | None) -> int:
    """Lets the relay try these dead letters again, or all of them; gives how many. They come after what was sent meanwhile."""
    dead = OutboxEvent.objects.using(using).filter(state=OutboxState.DEAD)
    chosen = dead if numbers is None else dead.filter(id__in=numbers)
    return chosen.update(state=OutboxState.PENDING, attempts=0, due_at=timezone.now(), error="")


def replay_inbox(using: str, numbers: Sequence[int] | None) -> int:
    """Lets the consumers try these dead letters again, or all of them; gives how many. What is no event stays dead."""
    dead = InboxEvent.objects.using(using).filter(state=InboxState.DEAD).exclude(source="")
    chosen = dead if numbers is None else dead.filter(id__in=numbers)
    return chosen.update(state=InboxState.FAILED, attempts=0, due_at=timezone.now())


def purge_outbox(using: str, days: float) -> int:
    """Throws away what was published so many days ago; gives how many."""
    before = timezone.now() - timedelta(days=days)
    return OutboxEvent.objects.using(using).filter(state=OutboxState.PUBLISHED, published_at__lt=before).delete()[0]


def purge_inbox(using: str, days: float) -> int:
    """Forgets what was done so many days ago; gives how many. An event that the broker still delivers after that is taken anew."""
    before = timezone.now() - timedelta(days=days)
    return InboxEvent.objects.using(using).filter(state=InboxState.DONE, processed_at__lt=before).delete()[0]


@dataclass(frozen=True, slots=True)
class Box:
    """What can be done with the rows of one of both."""

    dead: Callable[[str, int], list[DeadLetter]]
    replay: Callable[[str, Sequence[int] | None], int]
    purge: Callable[[str, float], int]


OUTBOX = Box(dead_in_outbox, replay_outbox, purge_outbox)
INBOX = Box(dead_in_inbox, replay_inbox, purge_inbox)


def _moment(when: Any) -> str:
    return str(when.isoformat(timespec="seconds"))
