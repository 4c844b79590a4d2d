"""How many sagas are under way, where they stand, and since when: asked of the database."""

from __future__ import annotations

from otelkit.catalog.metrics import SAGA_ACTIVE, SAGA_OLDEST_AGE
from otelkit.metrics.aggregator import LabelValues
from otelkit.patterns.gauges import Answer, Gauges
from otelkit.patterns.saga.parts import sagas


def standing() -> Answer:
    """Active sagas and the age of the oldest in seconds, by saga and state; 0 for what the project has and is not under way."""
    from django.db import connections, router
    from django.db.models import Count, Min
    from django.utils import timezone

    from otelkit.patterns.saga.models import ACTIVE, SagaRun

    using = router.db_for_read(SagaRun)
    connection = connections[using]
    was_open = connection.connection is not None
    try:
        active = SagaRun.objects.using(using).filter(state__in=ACTIVE).values("saga", "state")
        rows = list(active.annotate(number=Count("id"), first=Min("started_at")))
    finally:
        if not was_open:  # this thread's own; a caller's stays as it was
            connection.close()
    now = timezone.now()
    zeros: dict[LabelValues, float] = {(name, str(state.value)): 0.0 for name in sagas() for state in ACTIVE}
    numbers: dict[LabelValues, float] = {(row["saga"], row["state"]): float(row["number"]) for row in rows}
    ages: dict[LabelValues, float] = {(row["saga"], row["state"]): max((now - row["first"]).total_seconds(), 0.0) for row in rows}
    return {SAGA_ACTIVE: {**zeros, **numbers}, SAGA_OLDEST_AGE: {**zeros, **ages}}


STANDING = Gauges("Sagas", (SAGA_ACTIVE, SAGA_OLDEST_AGE), standing)
