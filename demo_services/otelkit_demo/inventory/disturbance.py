"""Where the demo's faults reach inventory: before a reservation, as a slow disk or a broken ledger would."""

from __future__ import annotations

import asyncio

from otelkit_demo.faults import INVENTORY_FAIL, INVENTORY_SLOW, SLOW_SECONDS, active_faults


class LedgerUnreadableError(RuntimeError):
    """What ``inventory.fail`` raises. Nobody catches it, as nobody caught the real one."""


async def disturb() -> None:
    """Wait, fail or return at once, as the flag file says. Raises LedgerUnreadableError."""
    faults = active_faults()
    if faults is None:
        return
    if faults.strikes(INVENTORY_SLOW):
        await asyncio.sleep(SLOW_SECONDS)
    if faults.strikes(INVENTORY_FAIL):
        raise LedgerUnreadableError("the stock ledger has an unreadable page")
