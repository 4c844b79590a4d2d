"""What notifications hears: the events of orders, each once by effect."""

from __future__ import annotations

import time
from contextvars import copy_context
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from otelkit.patterns import events
from otelkit_demo.chassis import flags
from otelkit_demo.notifications.models import Notification
from otelkit_demo.notifications.tasks import send

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 300.0

_TEXTS = {
    "order.placed": "Your order of {quantity} x {sku} is placed: {total}.",
    "order.cancelled": "Your order of {quantity} x {sku} could not be placed.",
    "order.refunded": "Your order of {quantity} x {sku} is refunded: {total}.",
}


@events.subscribe("orders", consumer="notifications")
def tell_the_customer(event: events.CloudEvent) -> None:
    """Stores what the customer is told; a worker sends it once that is committed. Raises KeyError for an event that lacks a part."""
    _pause()
    told: dict[str, Any] = event.data
    text = _TEXTS.get(event.type)
    if text is None:
        log.info("event is none of ours", event_type=event.type)
        return
    total = f"{told['total'] / 100:.2f} {told['currency']}"
    said = text.format(quantity=told["quantity"], sku=told["sku"], total=total)
    made = Notification.objects.create(event=event.type, order=told["reference"], customer=told["customer"], text=said)
    log.info("customer notified", event_type=event.type, order=told["reference"], notification_id=made.pk)
    # After the commit this event's span is over; the task belongs to its trace all the same.
    transaction.on_commit(partial(copy_context().run, send.delay, made.pk))


def _pause() -> None:
    """The fault: the consumer hangs, for as long as it is set."""
    until = time.monotonic() + LONGEST_PAUSE
    while flags.is_set("broker.pause_consumer") and time.monotonic() < until:
        time.sleep(0.2)
