"""Sagas: a business transaction over several services, each step with its compensation."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

SAGA_STARTED = Metric("saga.started", Kind.COUNTER, "{saga}", "Sagas begun.", (l.SAGA,))
SAGA_COMPLETED = Metric("saga.completed", Kind.COUNTER, "{saga}", "Sagas that came to an end.", (l.SAGA, l.SAGA_OUTCOME))
SAGA_ACTIVE = Metric(
    "saga.active", Kind.GAUGE, "{saga}", "Sagas under way. Every process asks the database: take the largest.", (l.SAGA, l.SAGA_STATE)
)
SAGA_OLDEST_AGE = Metric("saga.oldest.age", Kind.GAUGE, "s", "Age of the oldest saga under way. Take the largest.", (l.SAGA, l.SAGA_STATE))
SAGA_STEP_DURATION = Metric(
    "saga.step.duration", Kind.HISTOGRAM, "s", "Time of one step.", (l.SAGA, l.SAGA_STEP, l.SAGA_STEP_OUTCOME), SECONDS_BUCKETS
)
