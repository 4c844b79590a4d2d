"""How an order is placed, step by step over three services, and how it is taken back.

A step's failure turns the saga back; what it undoes may be called twice, and finds by the order's reference what it does not know by id.
Steps call other services with no transaction open; those that write here alone do it in the saga's own transaction, and so once.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction

from otelkit.patterns import events
from otelkit.patterns.saga import Saga, Step
from otelkit.patterns.saga.models import SagaRun
from otelkit_demo.chassis.neighbours import NotAskedError, NotReachedError
from otelkit_demo.orders import clients
from otelkit_demo.orders.models import LONGEST_REASON, Order

log = structlog.get_logger(__name__)

EVENTS = "orders"
"""Where the events of orders go."""

Data = dict[str, Any]


def accept(_data: Data) -> None:
    """Nothing yet; it is here for what undoes it."""


def give_up(data: Data) -> None:
    """The order is not placed: frees what an answer that got lost may have held, and tells whoever listens."""
    step, kind, reason = _what_failed(data["reference"])
    # What is not in the data was asked for last, or never. The error may be of a later undo: then nothing is known, and all is freed.
    asked = "reserve" if "reservation" not in data else "authorise" if "payment" not in data else ""
    if asked and not (step == asked and kind in _WITHOUT_EFFECT):
        free = clients.release if asked == "reserve" else clients.void
        free(data["reference"])
    status = Order.Status.REJECTED if kind in _REFUSALS else Order.Status.FAILED
    with transaction.atomic():
        # The state is part of the condition: whoever is told is told once, however often this is undone.
        if not Order.objects.filter(reference=data["reference"], status=Order.Status.PENDING).update(
            status=status, reason=reason[:LONGEST_REASON]
        ):
            return
        order = _order(data)
        _tell("order.cancelled", order)
    say = log.warning if status == Order.Status.REJECTED else log.error
    say(f"order {status}", order_id=order.pk, sku=order.sku, step=step, reason=reason)


def reserve(data: Data) -> None:
    """Inventory holds the goods."""
    data["reservation"] = str(clients.reserve(data["reference"], data["sku"], data["quantity"]))


def release(data: Data) -> None:
    """Inventory has them back."""
    clients.release(data["reservation"])


def authorise(data: Data) -> None:
    """The bank holds the money."""
    data["payment"] = str(clients.authorise(data["reference"], data["amount"], data["currency"]))


def void(data: Data) -> None:
    """The bank holds it no more."""
    clients.void(data["payment"])


def commit(data: Data) -> None:
    """The goods are sold."""
    clients.commit(data["reservation"])


def capture(data: Data) -> None:
    """The money is ours. Nothing after this can fail but our own database, so nothing undoes it."""
    clients.capture(data["payment"])


def place(data: Data) -> None:
    """The order is placed, and whoever listens is told."""
    order = _order(data)
    order.status, order.reservation, order.payment = Order.Status.PLACED, data["reservation"], data["payment"]
    order.save(update_fields=["status", "reservation", "payment"])
    log.info("order placed", order_id=order.pk, sku=order.sku, reservation_id=str(order.reservation))
    _tell("order.placed", order)


def pay_back(data: Data) -> None:
    """The money is the customer's again."""
    clients.refund(data["payment"])


def restock(data: Data) -> None:
    """The goods are on the shelf again."""
    clients.release(data["reservation"])


def close(data: Data) -> None:
    """The order is refunded, and whoever listens is told."""
    order = _order(data)
    order.status = Order.Status.REFUNDED
    order.save(update_fields=["status"])
    log.info("order refunded", order_id=order.pk, sku=order.sku)
    _tell("order.refunded", order)


PLACE_ORDER = Saga(
    "place_order",
    timeout=120,
    steps=(
        Step("accept", accept, undo=give_up),
        Step("reserve", reserve, undo=release),
        Step("authorise", authorise, undo=void),
        Step("commit", commit, attempts=3),
        Step("capture", capture, attempts=3),
        Step("place", place, attempts=3, in_transaction=True),
    ),
)
REFUND_ORDER = Saga(
    "refund_order",
    timeout=600,
    steps=(
        Step("pay_back", pay_back, attempts=5),
        Step("restock", restock, attempts=5),
        Step("close", close, attempts=5, in_transaction=True),
    ),
)

_REFUSALS = frozenset(kind.__qualname__ for kind in (clients.OutOfStockError, clients.UnknownSkuError, clients.PaymentDeclinedError))
_WITHOUT_EFFECT = _REFUSALS | {NotReachedError.__qualname__, NotAskedError.__qualname__}
"""What was refused, or never arrived, left nothing to free."""


def _what_failed(reference: str) -> tuple[str, str, str]:
    """Step, class and text of what turned the saga back, from where the saga keeps it."""
    said = SagaRun.objects.values_list("error", flat=True).get(saga=PLACE_ORDER.name, key=reference)
    step, _, rest = said.partition(": ")
    kind, _, text = rest.partition(": ")
    return step, kind, text or said


def _order(data: Data) -> Order:
    return Order.objects.get(reference=data["reference"])


def _tell(kind: str, order: Order) -> None:
    told = {
        "reference": str(order.reference),
        "sku": order.sku,
        "quantity": order.quantity,
        "total": order.total,
        "currency": order.currency,
        "customer": order.customer,
        "reason": order.reason,
    }
    events.publish(kind, told, destination=EVENTS, aggregate=f"order-{order.reference}")
