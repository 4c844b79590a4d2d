"""Resilience: circuit breakers, retries within a budget, deadlines that travel, answers with less, and load that is turned away.

from otelkit.patterns import resilience

inventory = resilience.CircuitBreaker("inventory")
again = resilience.Retry("inventory.internal", on=(httpx.TransportError,))

@again
@inventory
def reserve(sku): ...
"""

from otelkit.patterns.resilience.breaker import Admission, CircuitBreaker, CircuitOpenError
from otelkit.patterns.resilience.deadline import (
    HEADER,
    DeadlineExceededError,
    DeadlineMiddleware,
    outgoing_headers,
    remaining,
    timeout,
    within,
)
from otelkit.patterns.resilience.degraded import degraded, fall_back, fall_back_async
from otelkit.patterns.resilience.pybreaker import follow_pybreaker
from otelkit.patterns.resilience.recording import breaker_changed, breaker_rejected, budget_exhausted, observe_breaker, retried, shed
from otelkit.patterns.resilience.retry import Retry, RetryBudget
from otelkit.patterns.resilience.shedding import LoadSheddingMiddleware

__all__ = [
    "HEADER",
    "Admission",
    "CircuitBreaker",
    "CircuitOpenError",
    "DeadlineExceededError",
    "DeadlineMiddleware",
    "LoadSheddingMiddleware",
    "Retry",
    "RetryBudget",
    "breaker_changed",
    "breaker_rejected",
    "budget_exhausted",
    "degraded",
    "fall_back",
    "fall_back_async",
    "follow_pybreaker",
    "observe_breaker",
    "outgoing_headers",
    "remaining",
    "retried",
    "shed",
    "timeout",
    "within",
]
