"""How much waits in the outbox, and for how long: asked of the databases that have one."""

from __future__ import annotations

from otelkit.catalog.metrics import OUTBOX_OLDEST_AGE, OUTBOX_PENDING
from otelkit.patterns.events.configuring import chosen
from otelkit.patterns.gauges import Answer, Gauges


def backlog() -> Answer:
    """Pending events, and the age of the oldest in seconds, over all databases of the settings. Raises what Django raises."""
    from django.db import connections
    from django.db.models import Count, Min
    from django.utils import timezone

    from otelkit.patterns.events.models import OutboxEvent, OutboxState

    pending, oldest = 0, 0.0
    for alias in chosen().databases:
        connection = connections[alias]
        was_open = connection.connection is not None
        try:
            waiting = OutboxEvent.objects.using(alias).filter(state=OutboxState.PENDING)
            found = waiting.aggregate(number=Count("id"), first=Min("created_at"))
        finally:
            if not was_open:  # this thread's own; a caller's stays as it was
                connection.close()
        pending += found["number"]
        if found["first"] is not None:
            oldest = max(oldest, (timezone.now() - found["first"]).total_seconds())
    return {OUTBOX_PENDING: {(): pending}, OUTBOX_OLDEST_AGE: {(): oldest}}


BACKLOG = Gauges("The outbox", (OUTBOX_PENDING, OUTBOX_OLDEST_AGE), backlog)
