"""OpenTelemetry's Django instrumentation beside ours: it stands down, because two would say everything twice.

``DjangoInstrumentor().instrument()`` puts a middleware into the project's list, before our start or after it. In its place stands one that
is not used, so that stop() can put it back where it was.
"""

from __future__ import annotations

import logging
from collections.abc import MutableSequence, Sequence
from typing import Any

from django.core.exceptions import MiddlewareNotUsed

logger = logging.getLogger("otelkit.request")

UPSTREAM_MIDDLEWARE = "opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware"
STOOD_DOWN = "otelkit.request.foreign.StoodDown"

SENTENCE = (
    "opentelemetry-instrumentation-django stands down, and with it its hooks: otelkit follows requests. "
    'OTELKIT = {"requests": {"engine": "upstream"}} would have it the other way round'
)


class StoodDown:
    """In the place of upstream's middleware."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:  # noqa: ARG002  (the shape of a middleware)
        raise MiddlewareNotUsed(SENTENCE)


def without_upstream(middleware: Sequence[str]) -> list[str]:
    """The list with upstream's middleware stood down."""
    return [STOOD_DOWN if entry == UPSTREAM_MIDDLEWARE else entry for entry in middleware]


def with_upstream(middleware: Sequence[str]) -> list[str]:
    """The list as it was before :func:`without_upstream`."""
    return [UPSTREAM_MIDDLEWARE if entry == STOOD_DOWN else entry for entry in middleware]


def stand_down_late(middleware: Sequence[str]) -> None:
    """Does it in place, in the list that Django is reading backwards just now: nothing may move. Says so, once for each list."""
    if UPSTREAM_MIDDLEWARE in middleware and isinstance(middleware, MutableSequence):
        middleware[:] = without_upstream(middleware)
        logger.info("%s.", SENTENCE)
