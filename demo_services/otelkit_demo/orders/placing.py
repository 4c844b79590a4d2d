"""Placing and refunding: the order in this database, then its saga, as far as it goes now."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from rest_framework.response import Response

from otelkit_demo.chassis.api import refusal
from otelkit_demo.chassis.neighbours import NOT_ASKED
from otelkit_demo.orders import broker_faults, clients
from otelkit_demo.orders.models import Order
from otelkit_demo.orders.prices import PriceUnknownError, price
from otelkit_demo.orders.sagas import PLACE_ORDER, REFUND_ORDER

log = structlog.get_logger(__name__)


def placed(sku: str, quantity: int, customer: str = "") -> tuple[Order, bool] | Response:
    """The order as its saga left it, and whether its price was remembered; a refusal where it never became one."""
    try:
        cost = price(sku)
    except clients.UnknownSkuError as error:
        log.info("order refused", sku=sku, reason=str(error))
        return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except PriceUnknownError as error:
        log.error("order refused", sku=sku, reason=str(error))
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    order = Order.objects.create(sku=sku, quantity=quantity, customer=customer, unit_price=cost.cents, currency=cost.currency)
    log.info("order received", order_id=order.pk, sku=sku, quantity=quantity)
    told: dict[str, Any] = {
        "reference": str(order.reference),
        "sku": sku,
        "quantity": quantity,
        "amount": order.total,
        "currency": order.currency,
    }
    PLACE_ORDER.start(told, key=str(order.reference))
    order.refresh_from_db()
    broker_faults.disturb(order)
    return order, cost.remembered


def refunded(order: Order) -> Order:
    """The order as its refund left it: refunded, or still placed where that takes longer."""
    told = {"reference": str(order.reference), "reservation": str(order.reservation), "payment": str(order.payment)}
    REFUND_ORDER.start(told, key=str(order.reference))
    order.refresh_from_db()
    return order


def refused(order: Order) -> Response | None:
    """What became of an order that was not placed, as an answer; None where it was, or where that is open."""
    if order.status == Order.Status.FAILED:
        if NOT_ASKED in order.reason:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"The order could not be placed: {order.reason}.", order_id=order.pk)
        return refusal(HTTPStatus.BAD_GATEWAY, f"The order could not be placed: {order.reason}.", order_id=order.pk)
    if order.status != Order.Status.REJECTED:
        return None
    status = HTTPStatus.PAYMENT_REQUIRED if order.reason.startswith("The bank") else HTTPStatus.CONFLICT
    return refusal(status, order.reason, order_id=order.pk)
