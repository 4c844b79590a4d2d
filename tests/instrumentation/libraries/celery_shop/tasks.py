"""What the worker does."""

from __future__ import annotations

import logging

from opentelemetry import trace

from tests.instrumentation.libraries.celery_shop.app import app

logger = logging.getLogger("shop.tasks")


@app.task(name="orders.ship")
def ship() -> str:
    with trace.get_tracer("shop").start_as_current_span("pack"):
        logger.warning("shipped")
    return "shipped"
