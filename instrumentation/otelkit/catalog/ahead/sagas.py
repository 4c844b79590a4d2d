"""Sagas: a business transaction over several services, each step with its compensation."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

SAGA = Label("saga", "Kind of saga, like `place_order`. Ours.")
SAGA_OUTCOME = Label("outcome", "How the saga ended. Ours.", ("ok", "compensated", "failed"))
SAGA_STATE = Label("state", "Where the saga stands, as its author names it. Ours.")
SAGA_STEP = Label("step", "Step of the saga. Ours.")
SAGA_STEP_OUTCOME = Label("outcome", "How the step ended. Ours.", ("ok", "compensated", "failed"))

SAGA_STARTED = Metric("saga.started", Kind.COUNTER, "{saga}", "Sagas begun.", (SAGA,))
SAGA_COMPLETED = Metric("saga.completed", Kind.COUNTER, "{saga}", "Sagas that came to an end.", (SAGA, SAGA_OUTCOME))
SAGA_ACTIVE = Metric("saga.active", Kind.GAUGE, "{saga}", "Sagas under way.", (SAGA, SAGA_STATE))
SAGA_OLDEST_AGE = Metric("saga.oldest.age", Kind.GAUGE, "s", "Age of the oldest saga under way.", (SAGA, SAGA_STATE))
SAGA_STEP_DURATION = Metric(
    "saga.step.duration", Kind.HISTOGRAM, "s", "Time of one step.", (SAGA, SAGA_STEP, SAGA_STEP_OUTCOME), SECONDS_BUCKETS
)
