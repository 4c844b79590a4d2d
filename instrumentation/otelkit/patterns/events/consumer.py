"""The loop of a consumer: messages from the broker into the inbox, and what has to be tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event
from time import monotonic

from django.db import DatabaseError, InterfaceError, connections

from otelkit.config import Events
from otelkit.patterns.events import telemetry
from otelkit.patterns.events.broker import Broker, Listening, UnreachableError
from otelkit.patterns.events.cloudevent import CloudEvent, NotAnEventError
from otelkit.patterns.events.inbox import Inbox
from otelkit.patterns.events.subscribing import Subscription
from otelkit.patterns.jitter import full_jitter

logger = logging.getLogger("otelkit.events.consumer")

LOOK_EVERY = 1.0
"""Seconds between two looks for what is due again."""
PREFETCH = 10
"""Messages that a process has in hand at once."""


class Consumer:
    """Takes the events of these subscriptions in this process. Several processes share the work, and keep the order."""

    def __init__(self, broker: Broker, subscriptions: Sequence[Subscription], settings: Events, *, using: str = "default") -> None:
        self._broker = broker
        self._settings = settings
        self._using = using
        self._inboxes = [Inbox(one, settings, using, broker.system) for one in subscriptions]
        self._looked_at = monotonic()

    def run(self, ending: Event) -> None:
        """Works until ``ending`` is set, the message in hand included. Survives a database and a broker that go away."""
        failures = 0
        for inbox in self._inboxes:
            telemetry.awaiting(inbox.subscription.consumer)
        while not ending.is_set():
            try:
                wait = self._broker.listen([self._listening(inbox) for inbox in self._inboxes], PREFETCH)
                while not ending.is_set():
                    wait(min(self._settings.poll, LOOK_EVERY))
                    self.retry_due()
                    failures = 0
            except (UnreachableError, DatabaseError, InterfaceError) as error:
                failures += 1
                level = logging.WARNING if failures == 1 else logging.DEBUG  # once for each outage
                logger.log(level, "The consumer waits for what it needs: %s: %s", type(error).__qualname__, error)
                self._broker.close()  # what it has in hand goes back, and comes again
                connections[self._using].close()
                ending.wait(full_jitter(failures, self._settings.retry_base, min(self._settings.retry_cap, 30.0)))
        self._broker.close()

    def retry_due(self, *, now: bool = False) -> int:
        """Tries again what is due, once a second at most unless ``now``; gives how many. Raises what the database raises."""
        if not now and monotonic() - self._looked_at < LOOK_EVERY:
            return 0
        self._looked_at = monotonic()
        return sum(inbox.retry_due() for inbox in self._inboxes)

    def drain(self, patience: float = 0.5) -> int:
        """Takes what is there now, and gives how many messages came until none did for ``patience`` seconds. For tests and for scripts."""
        taken = 0
        wait = self._broker.listen([self._listening(inbox) for inbox in self._inboxes], PREFETCH)
        try:
            while wait(patience):
                taken += 1
        finally:
            self._broker.close()
        return taken

    def _listening(self, inbox: Inbox) -> Listening:
        return Listening(inbox.subscription.queue, inbox.subscription.destination, partial(_take, inbox))


def _take(inbox: Inbox, body: bytes, acknowledge: Callable[[], None]) -> None:
    try:
        event = CloudEvent.from_json(body)
    except NotAnEventError as error:
        inbox.refuse(body, error)
    else:
        inbox.take(event)
    acknowledge()  # only now: until here the broker would deliver it again
