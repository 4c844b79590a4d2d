"""Events that are stored with the data, sent later, and taken once: a transactional outbox, its relay, and an idempotent inbox.

A Django app of its own: ``INSTALLED_APPS = ["otelkit", "otelkit.patterns.events", ...]``. It works with the kit off, too, and records
nothing then. Whoever has an outbox already calls :mod:`otelkit.patterns.events.telemetry` alone.
"""

from otelkit.patterns.events.cloudevent import CloudEvent
from otelkit.patterns.events.publishing import NoTransactionError, apublish, publish
from otelkit.patterns.events.subscribing import subscribe

__all__ = ["CloudEvent", "NoTransactionError", "apublish", "publish", "subscribe"]
