"""The relay: takes pending events out of the outbox, in batches, and hands them to the broker, at least once and in order.

A broker that is away is waited for, and no event's fault. An event that the broker refuses is tried again later, and is a dead letter in
the end; meanwhile it holds up its own aggregate, and no other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from threading import Event
from time import monotonic

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from otelkit.config import Events
from otelkit.patterns.events import telemetry
from otelkit.patterns.events.broker import Broker, UnreachableError
from otelkit.patterns.events.claiming import claimed
from otelkit.patterns.events.cloudevent import CloudEvent
from otelkit.patterns.events.models import LONGEST_ERROR, OutboxEvent, OutboxState
from otelkit.patterns.jitter import full_jitter
from otelkit.patterns.wording import error_text

logger = logging.getLogger("otelkit.events.relay")


class Relay:
    """Sends the events of one database to one broker. As many of them may run as there are processes."""

    def __init__(self, broker: Broker, settings: Events, *, using: str = "default") -> None:
        self._broker = broker
        self._settings = settings
        self._using = using

    def run(self, ending: Event) -> None:
        """Sends until ``ending`` is set, the batch under way included. Survives a database and a broker that go away."""
        failures = 0
        while not ending.is_set():
            try:
                handled = self.run_once()
                if failures:
                    logger.info("The relay goes on after %d attempts.", failures)
                failures = 0
            except (UnreachableError, DatabaseError, InterfaceError) as error:
                failures += 1
                pause = full_jitter(failures, self._settings.retry_base, min(self._settings.retry_cap, 30.0))
                level = logging.WARNING if failures == 1 else logging.DEBUG  # once for each outage
                logger.log(level, "The relay waits for what it needs: %s: %s", type(error).__qualname__, error)
                connections[self._using].close()
                ending.wait(pause)
                continue
            if not handled:
                ending.wait(self._settings.poll)

    def run_once(self) -> int:
        """Handles one batch, and gives the number of its events, sent or refused. Raises UnreachableError, and what the database raises.

        What was sent before the broker broke off is marked all the same.
        """
        gone: UnreachableError | None = None
        until = monotonic() + self._settings.lease / 2
        with claimed(self._using, self._settings.batch, self._settings.lease) as events:
            handled: list[OutboxEvent] = []
            stuck: set[str] = set()
            for event in events:
                if event.aggregate in stuck:
                    continue
                if monotonic() > until and handled:  # the lease must not run out under the batch
                    break
                try:
                    self._send(event)
                except UnreachableError as error:
                    gone = error
                    break
                handled.append(event)
                if event.state == OutboxState.PENDING and event.aggregate:
                    stuck.add(event.aggregate)
            self._save(events, handled)
        if gone is not None:
            raise gone
        return len(handled)

    def _send(self, event: OutboxEvent) -> None:
        """Sends one event and notes on it, unsaved, what became of it. Raises UnreachableError."""
        age = (timezone.now() - event.created_at).total_seconds()
        carried = telemetry.Carried(event.traceparent, event.tracestate)
        message = telemetry.Message(
            event.event_id, event.type, event.source, event.destination, system=self._broker.system, carried=carried, age=age
        )
        event.attempts += 1
        try:
            with telemetry.sending(message) as carries:
                headers = {name: value for name, value in carries._asdict().items() if value}
                self._broker.publish(event.destination, _travelling(event, carries).to_json(), headers, event.event_id)
        except UnreachableError:
            event.attempts -= 1
            raise
        except Exception as error:  # noqa: BLE001  (whatever the broker has against the message, the others must go on)
            self._refused(event, error)
        else:
            event.state = OutboxState.PUBLISHED
            event.published_at = timezone.now()
            event.error = ""

    def _refused(self, event: OutboxEvent, error: Exception) -> None:
        event.error = error_text(error, LONGEST_ERROR)
        about = {"event.name": "outbox.failed", "messaging.destination.name": event.destination, "messaging.message.id": event.event_id}
        if event.attempts >= self._settings.attempts:
            event.state = OutboxState.DEAD
            about["event.name"] = "outbox.dead"
            logger.error("An event is a dead letter after %d attempts: %s (%s)", event.attempts, event, event.error, extra=about)
            return
        pause = full_jitter(event.attempts, self._settings.retry_base, self._settings.retry_cap)
        event.due_at = timezone.now() + timedelta(seconds=pause)
        logger.warning("The broker refused an event, which is tried again in %.1f s: %s (%s)", pause, event, event.error, extra=about)

    def _save(self, events: Sequence[OutboxEvent], handled: Sequence[OutboxEvent]) -> None:
        rows = OutboxEvent.objects.using(self._using)
        sent = [event.id for event in handled if event.state == OutboxState.PUBLISHED]
        # One statement for the many; only who took the row may say what became of it, and a second time changes nothing.
        rows.filter(id__in=sent, state=OutboxState.PENDING).update(
            state=OutboxState.PUBLISHED, published_at=timezone.now(), error="", leased_until=None
        )
        for event in handled:
            if event.state != OutboxState.PUBLISHED:
                rows.filter(id=event.id, state=OutboxState.PENDING).update(
                    state=event.state, attempts=event.attempts, due_at=event.due_at, error=event.error, leased_until=None
                )
        left = {event.id for event in events} - {event.id for event in handled}
        if left and not connections[self._using].features.has_select_for_update_skip_locked:
            rows.filter(id__in=left, leased_by=events[0].leased_by or "-").update(leased_until=None)


def _travelling(event: OutboxEvent, carries: telemetry.Carried) -> CloudEvent:
    return CloudEvent(
        id=event.event_id,
        source=event.source,
        type=event.type,
        data=event.data,
        subject=event.subject,
        time=event.created_at,
        aggregate=event.aggregate,
        position=event.position,
        traceparent=carries.traceparent,
        tracestate=carries.tracestate,
    )
