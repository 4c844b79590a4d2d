"""What may become of a payment, once however often it is asked for."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q

from otelkit_demo.payments import provider
from otelkit_demo.payments.models import Payment

State = Payment.State


class NoPaymentError(Exception):
    """Nothing is known under this id or reference."""

    def __init__(self, key: uuid.UUID) -> None:
        super().__init__(f"There is no payment {key}")


class WrongStateError(Exception):
    """It cannot become that any more."""


def find(key: uuid.UUID) -> Payment:
    """The payment of this id or reference. Raises NoPaymentError."""
    found = Payment.objects.filter(Q(pk=key) | Q(reference=key)).first()
    if found is None:
        raise NoPaymentError(key)
    return found


def authorise(reference: uuid.UUID, amount: int, currency: str) -> tuple[Payment, bool]:
    """The payment for ``reference``, and whether it is new. Raises what the bank raises; a payment that it declined is kept as declined."""
    if earlier := Payment.objects.filter(reference=reference).first():
        return earlier, False
    # Not in a transaction: no lock while the bank thinks.
    try:
        provider_id, state = provider.authorise(amount), State.AUTHORISED
    except provider.DeclinedError:
        Payment.objects.get_or_create(reference=reference, defaults={"amount": amount, "currency": currency, "state": State.DECLINED})
        raise
    try:
        with transaction.atomic():
            made = Payment.objects.create(reference=reference, amount=amount, currency=currency, state=state, provider_id=provider_id)
    except IntegrityError:  # the same caller asked twice at once
        return Payment.objects.get(reference=reference), False
    return made, True


_BEFORE = {State.CAPTURED: State.AUTHORISED, State.VOIDED: State.AUTHORISED, State.REFUNDED: State.CAPTURED}


def become(key: uuid.UUID, state: str) -> tuple[Payment, bool]:
    """The payment, captured, voided or refunded, and whether that is new. Raises NoPaymentError or WrongStateError."""
    with transaction.atomic():
        payment = find(key)
        # The state is part of the condition, so that of two callers at once one changes it.
        changed = Payment.objects.filter(pk=payment.pk, state=_BEFORE[State(state)]).update(state=state)
        payment.refresh_from_db()
        if payment.state != state:
            raise WrongStateError(f"A payment that is {payment.state} cannot be {state}")
        return payment, bool(changed)
