"""Where the demo's faults reach inventory: before a reservation, as a slow disk or a broken ledger would."""

from __future__ import annotations

import time

from django.db import OperationalError, connection

from otelkit_demo.chassis import flags
from otelkit_demo.faults import SLOW_SECONDS
from otelkit_demo.inventory.models import Stock


class LedgerUnreadableError(RuntimeError):
    """What ``inventory.fail`` raises. Nobody catches it, as nobody caught the real one."""


def disturb() -> None:
    """Wait, fail or return at once, as the flag file says. Raises LedgerUnreadableError or OperationalError."""
    if flags.hits("inventory.slow"):
        time.sleep(SLOW_SECONDS)
    if flags.hits("inventory.fail"):
        raise LedgerUnreadableError("the stock ledger has an unreadable page")
    if flags.hits("inventory.deadlock"):
        deadlock()


def deadlock() -> None:
    """Asks the database for what it refuses to the loser of a deadlock. Raises OperationalError."""
    Stock.objects.count()  # its transaction had work done already
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # As the server says it: making a real one needs a second session that loses only by chance.
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$")
    raise OperationalError("database is locked: a stock count holds the shelf, and waits for this reservation")
