"""Idempotency keys."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

IDEMPOTENCY_OUTCOME = Label("outcome", "What the key turned out to be. Ours.", ("new", "replay", "conflict", "in_progress"))

IDEMPOTENCY_REQUESTS = Metric(
    "idempotency.requests", Kind.COUNTER, "{request}", "Requests that carried an idempotency key.", (IDEMPOTENCY_OUTCOME,)
)
