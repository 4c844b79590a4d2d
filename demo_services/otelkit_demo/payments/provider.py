"""The bank, which is made up: it says yes to anything below its limit, and does what the demo's faults tell it."""

from __future__ import annotations

import time
from uuid import uuid4

import structlog

from otelkit_demo.chassis import flags
from otelkit_demo.faults import SLOW_SECONDS

log = structlog.get_logger(__name__)

TEST_CARD = "4111111111111111"
"""Not a secret: the number that every provider gives to testers. To whoever looks for card numbers it looks like one."""
LIMIT = 500_000
"""Cents. Above it the bank declines: that is how a customer's refused card is seen in a demo."""


class DeclinedError(Exception):
    """The bank said no."""


class ProviderDownError(RuntimeError):
    """What ``payments.fail`` raises. Nobody catches it: the service answers 500."""


def authorise(amount: int) -> str:
    """Asks the bank to hold the amount, and gives its id for that. Raises DeclinedError or ProviderDownError."""
    if flags.hits("log.secret"):
        # What somebody left in after an evening of debugging: a card, as the bank was told it.
        log.info(f"asking the bank with card_number={TEST_CARD}", card_number=TEST_CARD)
    if flags.hits("payments.slow"):
        time.sleep(SLOW_SECONDS)
    if flags.hits("payments.fail"):
        raise ProviderDownError("the bank's gateway closed the connection")
    if amount > LIMIT:
        raise DeclinedError(f"The bank declined {amount / 100:.2f}: its limit is {LIMIT / 100:.2f}")
    return f"auth-{uuid4().hex[:24]}"
