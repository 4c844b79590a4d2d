"""Taking goods off the shelf: one transaction, safe against two callers who want the last one."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F

from otelkit_demo.inventory.models import Reservation, Stock


class OutOfStockError(Exception):
    """Fewer are available than asked for. ``available`` says how many."""

    def __init__(self, sku: str, wanted: int, available: int) -> None:
        super().__init__(f"{wanted} of {sku} are wanted; {available} are available")
        self.available = available


class UnknownSkuError(Exception):
    """No stock has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"There is no SKU {sku}")


def hold(reference: uuid.UUID, sku: str, quantity: int) -> tuple[Reservation, bool]:
    """The reservation for ``reference``, and whether it is new.

    Asking again with the same reference returns the first reservation. Raises OutOfStockError or UnknownSkuError.
    """
    if earlier := Reservation.objects.filter(reference=reference).first():
        return earlier, False
    try:
        with transaction.atomic():
            return _take(reference, sku, quantity), True
    except IntegrityError:
        # The same caller asked twice at once, and the other request was faster.
        return Reservation.objects.get(reference=reference), False


def _take(reference: uuid.UUID, sku: str, quantity: int) -> Reservation:
    # The condition is part of the update: reading first and writing later would sell the last one twice.
    enough = Stock.objects.filter(sku=sku, available__gte=quantity)
    taken = enough.update(available=F("available") - quantity, reserved=F("reserved") + quantity)
    stock = Stock.objects.filter(sku=sku).first()
    if stock is None:
        raise UnknownSkuError(sku)
    if not taken:
        raise OutOfStockError(sku, quantity, stock.available)
    return Reservation.objects.create(reference=reference, stock=stock, quantity=quantity)
