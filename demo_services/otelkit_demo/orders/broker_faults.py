"""Where the demo's faults reach the broker: a message twice, and one that is no event."""

from __future__ import annotations

from otelkit.patterns.events.broker import Broker
from otelkit.patterns.events.configuring import chosen
from otelkit.patterns.events.models import OutboxEvent, OutboxState
from otelkit_demo.chassis import flags
from otelkit_demo.orders.models import Order
from otelkit_demo.orders.sagas import EVENTS


def disturb(order: Order) -> None:
    """Sends what should not be sent, or returns at once, as the flag file says."""
    if flags.hits("broker.poison"):
        with Broker.of(chosen()) as broker:
            broker.publish(EVENTS, f"<order>{order.pk}</order>", {}, f"poison-{order.reference}")
    if flags.hits("broker.duplicate"):
        # The last one that was sent, once more: as after a relay that died between sending an event and marking it as sent.
        sent = OutboxEvent.objects.filter(state=OutboxState.PUBLISHED).order_by("-id").first()
        if sent is not None:
            OutboxEvent.objects.filter(pk=sent.pk).update(state=OutboxState.PENDING, published_at=None)
