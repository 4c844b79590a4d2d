"""An outbox, an inbox and a broker in a folder, all empty, for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from otelkit.config import Events
from otelkit.patterns.events import CloudEvent, publish
from otelkit.patterns.events.broker import Broker
from otelkit.patterns.events.consumer import Consumer
from otelkit.patterns.events.models import InboxEvent, InboxStream, OutboxEvent, OutboxStream
from otelkit.patterns.events.relay import Relay
from otelkit.patterns.events.subscribing import Handler, Subscription

TABLES = (OutboxEvent, OutboxStream, InboxEvent, InboxStream)


@dataclass
class Post:
    """Sender, relay and consumers in this process, with the real broker of kombu between them."""

    settings: Events
    taken: list[CloudEvent] = field(default_factory=list)

    def publish(self, type: str = "order.placed", data: Any = None, **more: Any) -> OutboxEvent:
        with transaction.atomic():
            return publish(type, data, **{"destination": "orders", **more})

    def subscription(self, handler: Handler | None = None, *, consumer: str = "shipping", ordered: bool = True) -> Subscription:
        return Subscription(consumer, "orders", handler or self.taken.append, ordered)

    def declare(self, *consumers: str) -> None:
        """Makes the queues, so that what is sent waits for its consumers."""
        with Broker.of(self.settings) as broker:
            broker.declare({f"orders.{consumer}": "orders" for consumer in consumers or ("shipping",)})

    def relay(self) -> int:
        """Sends what is due now; gives how many events were handled."""
        with Broker.of(self.settings) as broker:
            return Relay(broker, self.settings).run_once()

    def consume(self, *subscriptions: Subscription) -> int:
        """Takes what is there now; gives the number of messages."""
        with Broker.of(self.settings) as broker:
            return Consumer(broker, subscriptions or (self.subscription(),), self.settings).drain(0.05)

    def with_settings(self, **changes: Any) -> Post:
        """The same broker, seen by processes with other settings."""
        return Post(replace(self.settings, **changes), self.taken)


@pytest.fixture(autouse=True)
def _empty_tables() -> Iterator[None]:
    yield
    for table in TABLES:
        table.objects.all().delete()


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(Events(broker=f"filesystem://{tmp_path}/broker", source="orders"))


@pytest.fixture
def states() -> Callable[[], dict[str, str]]:
    """Of every outgoing event, its type and its state."""
    return lambda: dict(OutboxEvent.objects.order_by("id").values_list("type", "state"))
