"""What any implementation calls. Nothing here raises."""

from __future__ import annotations

from contextlib import suppress

from opentelemetry import trace

from otelkit.catalog.metrics import IDEMPOTENCY_REQUESTS
from otelkit.metrics import business

_requests = business.recorder(business.BusinessCounter, IDEMPOTENCY_REQUESTS)


def counted(outcome: str) -> None:
    """A request with a key turned out to be ``new``, ``replay``, ``conflict`` or ``in_progress``. For implementations of your own."""
    _requests.add(1, outcome=outcome)
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().add_event("idempotency", {"outcome": outcome})
