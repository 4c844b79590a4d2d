"""What holds when others fail: circuit breakers, retries, degraded answers, shed load, idempotency."""

from __future__ import annotations

from otelkit.catalog.labels import SERVER_ADDRESS
from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

CIRCUIT_BREAKER_NAME = Label("name", "Name of the circuit breaker. Ours.")
CIRCUIT_BREAKER_STATE = Label("state", "State of the circuit breaker. Ours.", ("closed", "open", "half_open"))
CIRCUIT_BREAKER_TO = Label("to", "State that it changed to. Ours.", ("closed", "open", "half_open"))
RETRY_OUTCOME = Label("outcome", "How the retried call ended. Ours.", ("ok", "error"))
FEATURE = Label("feature", "What the answer had to do without. Ours.")
DEGRADED_REASON = Label("reason", "Why it had to. Ours.")
SHED_REASON = Label("reason", "Why the request was turned away. Ours.")
IDEMPOTENCY_OUTCOME = Label("outcome", "What the key turned out to be. Ours.", ("new", "replay", "conflict", "in_progress"))

# Not called ..._STATE: that is the label of it.
CIRCUIT_BREAKER_STATES = Metric(
    "circuit_breaker.state",
    Kind.GAUGE,
    "",
    "1 for the state that the circuit breaker is in, 0 for the others.",
    (CIRCUIT_BREAKER_NAME, CIRCUIT_BREAKER_STATE),
)
CIRCUIT_BREAKER_TRANSITIONS = Metric(
    "circuit_breaker.transitions", Kind.COUNTER, "{transition}", "Changes of state.", (CIRCUIT_BREAKER_NAME, CIRCUIT_BREAKER_TO)
)
CIRCUIT_BREAKER_REJECTED = Metric(
    "circuit_breaker.rejected", Kind.COUNTER, "{call}", "Calls that an open circuit breaker did not let through.", (CIRCUIT_BREAKER_NAME,)
)
HTTP_CLIENT_RETRIES = Metric(
    "http.client.retries", Kind.COUNTER, "{retry}", "Further attempts of outbound calls.", (SERVER_ADDRESS, RETRY_OUTCOME)
)
RETRY_BUDGET_EXHAUSTED = Metric(
    "retry_budget.exhausted", Kind.COUNTER, "{call}", "Calls that were not retried, because too many others were.", (SERVER_ADDRESS,)
)
DEGRADED_RESPONSES = Metric(
    "degraded.responses", Kind.COUNTER, "{response}", "Answers that lack something, and say so.", (FEATURE, DEGRADED_REASON)
)
LOAD_SHED = Metric("load.shed", Kind.COUNTER, "{request}", "Requests turned away to save the others.", (SHED_REASON,))
IDEMPOTENCY_REQUESTS = Metric(
    "idempotency.requests", Kind.COUNTER, "{request}", "Requests that carried an idempotency key.", (IDEMPOTENCY_OUTCOME,)
)
