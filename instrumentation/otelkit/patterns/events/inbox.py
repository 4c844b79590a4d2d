"""The inbox: each event once by effect, whatever the broker delivers, and in order, whatever the consumers are.

The mark that an event was taken and what its handler wrote are one transaction. What cannot be done at once - it failed, or its predecessor
is not there yet - is stored here and tried later, so that the broker is rid of it, and a retry survives every restart.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from otelkit.config import Events
from otelkit.patterns.events import telemetry
from otelkit.patterns.events.cloudevent import CloudEvent, NotAnEventError
from otelkit.patterns.events.models import LONGEST_ERROR, InboxEvent, InboxState, InboxStream
from otelkit.patterns.events.subscribing import Subscription
from otelkit.patterns.jitter import full_jitter
from otelkit.patterns.wording import error_text

logger = logging.getLogger("otelkit.events.inbox")


class Outcome(StrEnum):
    """What became of one delivery."""

    OK = "ok"
    DUPLICATE = "duplicate"
    EARLY = "early"
    """Its predecessor is not there yet; it is stored, and comes after it."""
    FAILED = "failed"
    """It is stored, and tried again."""
    DEAD = "dead"


class _HandlerError(Exception):
    """Carries what the handler raised out of the transaction, past errors of our own statements."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__qualname__)  # not its words: they may raise
        self.error = error


@dataclass(frozen=True, slots=True)
class Inbox:
    """The events of one subscription in one database."""

    subscription: Subscription
    settings: Events
    using: str = "default"
    system: str = ""
    """The broker's product, for the spans."""

    def take(self, event: CloudEvent) -> Outcome:
        """Works on one delivery, to its end: afterwards the broker may forget it. Whatever waited for this event is worked on as well.

        Raises what the database raises, and nothing of the handler's.
        """
        outcome = self._once(event)
        self._go_on(event, outcome)
        return outcome

    def refuse(self, body: bytes, error: NotAnEventError) -> Outcome:
        """Stores what is no event as a dead letter, named by its hash, for somebody to look at."""
        row = InboxEvent(
            consumer=self.subscription.consumer,
            event_id=hashlib.sha256(body).hexdigest(),
            destination=self.subscription.destination,
            state=InboxState.DEAD,
            body=body.decode("utf-8", "backslashreplace").replace("\0", "\\x00"),
            error=f"no CloudEvent: {error}"[:LONGEST_ERROR],
        )
        InboxEvent.objects.using(self.using).bulk_create([row], ignore_conflicts=True)
        about = {"event.name": "inbox.dead", "messaging.destination.name": self.subscription.destination}
        logger.error(
            "%s was sent what is no CloudEvent: %s. It is kept as the dead letter %s.", self._name, error, row.event_id, extra=about
        )
        return self._counted(Outcome.DEAD)

    def retry_due(self, at_most: int = 100) -> int:
        """Tries again what has failed and is due, and what has waited for its predecessor long enough; gives how many."""
        due = InboxEvent.objects.using(self.using).filter(
            consumer=self.subscription.consumer,
            destination=self.subscription.destination,
            state__in=(InboxState.FAILED, InboxState.WAITING),
            due_at__lte=timezone.now(),
        )
        rows = list(due.order_by("due_at", "position", "id")[:at_most])
        for row in rows:
            self._again(row)
        return len(rows)

    def _once(self, event: CloudEvent) -> Outcome:
        row = self._row(event)
        try:
            with transaction.atomic(self.using):
                try:
                    with transaction.atomic(self.using):
                        row.save(using=self.using, force_insert=True)
                except IntegrityError:
                    return self._counted(Outcome.DUPLICATE)
                if not self._is_next(event):
                    return self._park_early(row, event)
                self._handle(event)
                self._advance(event)
        except _HandlerError as failure:
            return self._failed(event, failure.error)
        return self._counted(Outcome.OK)

    def _again(self, row: InboxEvent, *, follows: bool = False) -> Outcome | None:
        """One more attempt of what is stored; None where somebody else was faster. ``follows`` says that its predecessor is done."""
        event = CloudEvent.from_json(row.body)
        try:
            with transaction.atomic(self.using):
                states = (InboxState.FAILED, InboxState.WAITING)
                stored_row = InboxEvent.objects.using(self.using).filter(id=row.id, state__in=states)
                # Locks the row where rows can be locked, and makes a writer of us where (SQLite) one must not become one halfway.
                if not stored_row.update(state=F("state")):
                    return None
                stored = stored_row.get()
                if not self._is_next(event) and not self._may_overtake(stored, event, follows=follows):
                    return None
                stored.state, stored.body, stored.error = InboxState.DONE, "", ""
                stored.due_at, stored.processed_at = None, timezone.now()
                stored.save(using=self.using)
                self._handle(event)
                self._advance(event)
        except _HandlerError as failure:
            outcome = self._failed(event, failure.error)
        else:
            outcome = self._counted(Outcome.OK)
        if not follows:
            self._go_on(event, outcome)
        return outcome

    def _go_on(self, event: CloudEvent, outcome: Outcome) -> None:
        """Works on what waited for this event, one after the other."""
        while outcome in (Outcome.OK, Outcome.DEAD) and self._keeps_order(event):
            after = (event.position or 0) + 1
            waiting = InboxEvent.objects.using(self.using).filter(**self._order_of(event), position=after, state=InboxState.WAITING)
            row = waiting.first()
            if row is None or (found := self._again(row, follows=True)) is None:
                return
            event, outcome = CloudEvent.from_json(row.body), found

    def _keeps_order(self, event: CloudEvent) -> bool:
        return self.subscription.is_ordered and bool(event.aggregate) and event.position is not None

    def _stream(self, event: CloudEvent) -> QuerySet[InboxStream]:
        return InboxStream.objects.using(self.using).filter(**self._order_of(event))

    def _is_next(self, event: CloudEvent) -> bool:
        """Whether everything before it is done. Nobody else works on the aggregate from here to the end of the transaction."""
        if not self._keeps_order(event):
            return True
        stream = self._stream(event).select_for_update().first()
        if stream is None:
            InboxStream.objects.using(self.using).bulk_create([InboxStream(**self._order_of(event))], ignore_conflicts=True)
            stream = self._stream(event).select_for_update().get()
        return (event.position or 0) <= stream.position + 1

    def _order_of(self, event: CloudEvent) -> dict[str, str]:
        """What events have in common that come one after the other."""
        return {
            "consumer": self.subscription.consumer,
            "source": event.source,
            "destination": self.subscription.destination,
            "aggregate": event.aggregate,
        }

    def _may_overtake(self, stored: InboxEvent, event: CloudEvent, *, follows: bool) -> bool:
        """Whether an event goes on whose predecessor never came. One that is here, and only failed so far, is waited for longer."""
        if follows:
            return False
        unfinished = InboxEvent.objects.using(self.using).filter(**self._order_of(event), position__lt=event.position)
        if unfinished.filter(state__in=(InboxState.FAILED, InboxState.WAITING)).exists():
            stored.due_at = timezone.now() + timedelta(seconds=self.settings.order_patience)
            stored.save(using=self.using, update_fields=["due_at"])
            return False
        logger.warning("%s goes on without what should come before event %s of %s.", self._name, event.position, event.aggregate)
        return True

    def _advance(self, event: CloudEvent) -> None:
        if self._keeps_order(event):
            self._stream(event).filter(position__lt=event.position).update(position=event.position)

    def _handle(self, event: CloudEvent) -> None:
        age = (timezone.now() - event.time).total_seconds() if event.time else 0.0
        message = telemetry.Message(
            event.id,
            event.type,
            event.source,
            self.subscription.destination,
            system=self.system,
            carried=telemetry.Carried(event.traceparent, event.tracestate),
            age=age,
        )
        try:
            with telemetry.processing(message, self.subscription.consumer):
                self.subscription.handle(event)
        except Exception as error:
            raise _HandlerError(error) from error

    def _park_early(self, row: InboxEvent, event: CloudEvent) -> Outcome:
        row.state, row.processed_at, row.body = InboxState.WAITING, None, event.to_json()
        row.due_at = timezone.now() + timedelta(seconds=self.settings.order_patience)
        row.save(using=self.using, force_update=True)
        return self._counted(Outcome.EARLY)

    def _failed(self, event: CloudEvent, error: Exception) -> Outcome:
        """Stores the event for another attempt, or as a dead letter; its transaction was rolled back."""
        with transaction.atomic(self.using):
            InboxEvent.objects.using(self.using).bulk_create([self._row(event, InboxState.FAILED)], ignore_conflicts=True)
            row = (
                InboxEvent.objects.using(self.using)
                .select_for_update()
                .get(consumer=self.subscription.consumer, source=event.source, event_id=event.id)
            )
            if row.state in (InboxState.DONE, InboxState.DEAD):  # a second delivery was faster
                return self._counted(Outcome.DUPLICATE)
            row.attempts += 1
            row.body, row.processed_at = event.to_json(), None
            row.error = error_text(error, LONGEST_ERROR)
            is_dead = row.attempts >= self.settings.attempts
            pause = full_jitter(row.attempts, self.settings.retry_base, self.settings.retry_cap)
            row.state = InboxState.DEAD if is_dead else InboxState.FAILED
            row.due_at = None if is_dead else timezone.now() + timedelta(seconds=pause)
            row.save(using=self.using)
            if is_dead:
                self._advance(event)  # the others must not wait for it
        about = {"messaging.message.id": event.id, "messaging.destination.name": self.subscription.destination}
        if is_dead:
            about["event.name"] = "inbox.dead"
            logger.error("%s gives up %s after %d attempts.", self._name, event.id, row.attempts, exc_info=error, extra=about)
            return self._counted(Outcome.DEAD)
        about["event.name"] = "inbox.failed"
        logger.warning("%s failed with %s, and tries again in %.1f s.", self._name, event.id, pause, exc_info=error, extra=about)
        return self._counted(Outcome.FAILED)

    def _row(self, event: CloudEvent, state: InboxState = InboxState.DONE) -> InboxEvent:
        return InboxEvent(
            consumer=self.subscription.consumer,
            source=event.source,
            event_id=event.id,
            destination=self.subscription.destination,
            aggregate=event.aggregate,
            position=event.position,
            state=state,
            processed_at=timezone.now() if state == InboxState.DONE else None,
        )

    @property
    def _name(self) -> str:
        return f"The consumer {self.subscription.consumer} of {self.subscription.destination}"

    def _counted(self, outcome: Outcome) -> Outcome:
        # After the commit: what is rolled back has not happened.
        transaction.on_commit(lambda: telemetry.processed(self.subscription.consumer, outcome), using=self.using)
        return outcome
