"""Requests that another instrumentation follows already, around Django: its span is adopted, and it is said once."""

from __future__ import annotations

import logging
from weakref import WeakSet

from opentelemetry.context import Context
from opentelemetry.trace import Span

from otelkit.request.state import CURRENT
from otelkit.traces.foreign import open_server_span, scope_of

logger = logging.getLogger("otelkit.request")


class Adoption:
    """Finds the span to adopt. A span belongs to one request: one that is met again was left behind, and is nobody's."""

    def __init__(self) -> None:
        self._adopted: WeakSet[Span] = WeakSet()
        self._has_said = False

    def of(self, outer: Context) -> Span | None:
        """The span that somebody opened for the request which begins in this context, or None. Never raises."""
        if CURRENT.get() is not None:
            return None  # a request that a view makes in this process: what is open around it is its caller's
        try:
            span = open_server_span(outer)
            if span is None or span in self._adopted:
                return None
            self._adopted.add(span)
        except Exception:
            logger.exception("otelkit could not look at the span around a request; the request gets one of its own.")
            return None
        if not self._has_said:
            self._has_said = True
            scope = scope_of(span)
            logger.info(
                "Another instrumentation%s opens the span of a request before Django is asked: otelkit adds what it knows to that one, "
                "and opens none of its own. Metrics and access lines are otelkit's.",
                f" ({scope})" if scope else "",
            )
        return span
