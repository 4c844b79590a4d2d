"""Resilience: circuit breakers, retries, degraded answers, load that was turned away, idempotency keys."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

# Not called ..._STATE: that is the label of it.
CIRCUIT_BREAKER_STATES = Metric(
    "circuit_breaker.state",
    Kind.GAUGE,
    "",
    "1 for the state that the circuit breaker is in, 0 for the others.",
    (l.CIRCUIT_BREAKER_NAME, l.CIRCUIT_BREAKER_STATE),
)
CIRCUIT_BREAKER_TRANSITIONS = Metric(
    "circuit_breaker.transitions", Kind.COUNTER, "{transition}", "Changes of state.", (l.CIRCUIT_BREAKER_NAME, l.CIRCUIT_BREAKER_TO)
)
CIRCUIT_BREAKER_REJECTED = Metric(
    "circuit_breaker.rejected", Kind.COUNTER, "{call}", "Calls that an open circuit breaker did not let through.", (l.CIRCUIT_BREAKER_NAME,)
)
HTTP_CLIENT_RETRIES = Metric(
    "http.client.retries", Kind.COUNTER, "{retry}", "Further attempts of outbound calls.", (l.SERVER_ADDRESS, l.RETRY_OUTCOME)
)
RETRY_BUDGET_EXHAUSTED = Metric(
    "retry_budget.exhausted", Kind.COUNTER, "{call}", "Calls that were not retried, because too many others were.", (l.SERVER_ADDRESS,)
)
DEGRADED_RESPONSES = Metric(
    "degraded.responses", Kind.COUNTER, "{response}", "Answers that lack something, and say so.", (l.FEATURE, l.DEGRADED_REASON)
)
LOAD_SHED = Metric("load.shed", Kind.COUNTER, "{request}", "Requests turned away to save the others.", (l.SHED_REASON,))
IDEMPOTENCY_REQUESTS = Metric(
    "idempotency.requests", Kind.COUNTER, "{request}", "Requests that carried an idempotency key.", (l.IDEMPOTENCY_OUTCOME,)
)
