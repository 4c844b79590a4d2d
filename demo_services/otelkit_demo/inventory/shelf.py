"""Taking goods off the shelf: one transaction, safe against two callers who want the last one."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F, Q

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


class NoReservationError(Exception):
    """Nothing is held under this id or reference."""

    def __init__(self, key: uuid.UUID) -> None:
        super().__init__(f"There is no reservation {key}")


class NotHeldError(Exception):
    """What is released cannot be sold."""


def find(key: uuid.UUID) -> Reservation:
    """The reservation of this id, or of this reference: a caller that got no answer knows only the latter. Raises NoReservationError."""
    found = Reservation.objects.select_related("stock").filter(Q(pk=key) | Q(reference=key)).first()
    if found is None:
        raise NoReservationError(key)
    return found


def commit(key: uuid.UUID) -> Reservation:
    """The goods are sold. Once more changes nothing. Raises NoReservationError, and NotHeldError for what is back on the shelf."""
    with transaction.atomic():
        reservation = find(key)
        if _turns(reservation, Reservation.State.HELD, Reservation.State.COMMITTED):
            Stock.objects.filter(pk=reservation.stock.pk).update(reserved=F("reserved") - reservation.quantity)
        elif reservation.state == Reservation.State.RELEASED:
            raise NotHeldError(f"Reservation {reservation.pk} is released")
        return reservation


def release(key: uuid.UUID) -> Reservation:
    """The goods are back on the shelf, sold or not. Once more changes nothing. Raises NoReservationError."""
    with transaction.atomic():
        reservation = find(key)
        stock = Stock.objects.filter(pk=reservation.stock.pk)
        if _turns(reservation, Reservation.State.HELD, Reservation.State.RELEASED):
            stock.update(reserved=F("reserved") - reservation.quantity, available=F("available") + reservation.quantity)
        elif _turns(reservation, Reservation.State.COMMITTED, Reservation.State.RELEASED):
            stock.update(available=F("available") + reservation.quantity)
        return reservation


def _turns(reservation: Reservation, before: str, after: str) -> bool:
    # The state is part of the condition, so that of two callers at once one turns it.
    if not Reservation.objects.filter(pk=reservation.pk, state=before).update(state=after):
        reservation.refresh_from_db(fields=["state"])
        return False
    reservation.state = after
    return True
