"""Business metrics for tests, declared at import, before any kit runs - as a project declares its own."""

from __future__ import annotations

from otelkit import metrics

ORDERS = metrics.counter("business.tests.orders", unit="{order}", help="Orders taken.", labels={"channel": ("web", "app")})
REFUNDS = metrics.counter("business.tests.refunds", unit="{refund}", help="Refunds paid.")
VISITS = metrics.counter("business.tests.visits", unit="{visit}", help="Visits of any campaign.", labels={"campaign": ()})
STOCK = metrics.gauge("business.tests.stock", unit="{piece}", help="Pieces on the shelf.", labels={"warehouse": ("north", "south")})
BASKET = metrics.histogram(
    "business.tests.basket", unit="{euro}", help="Value of a basket.", labels={"channel": ("web", "app")}, buckets=(10, 50, 100)
)
WAIT = metrics.histogram("business.tests.wait", unit="s", help="Time a parcel waits.")
