"""What holds when others fail."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

CIRCUIT_BREAKER_NAME = Label("name", "Name of the circuit breaker. Ours.")
CIRCUIT_BREAKER_STATE = Label("state", "State of the circuit breaker. Ours.", ("closed", "open", "half_open"))
CIRCUIT_BREAKER_TO = Label("to", "State that it changed to. Ours.", ("closed", "open", "half_open"))
RETRY_OUTCOME = Label("outcome", "How the retried call ended. Ours.", ("ok", "error"))
FEATURE = Label("feature", "What the answer had to do without. Ours.")
DEGRADED_REASON = Label("reason", "Why it had to. Ours.")
SHED_REASON = Label("reason", "Why the request was turned away. Ours.")
IDEMPOTENCY_OUTCOME = Label("outcome", "What the key turned out to be. Ours.", ("new", "replay", "conflict", "in_progress"))
