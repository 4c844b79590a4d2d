"""What the worker does."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

import httpx
from celery import chord, group
from celery.exceptions import Ignore, Reject
from opentelemetry import trace

from tests.instrumentation.libraries.celery_shop.app import app

logger = logging.getLogger("shop.tasks")


class OutOfStockError(Exception):
    """What a task of the shop expects to happen."""


@app.task(name="orders.ship")
def ship() -> str:
    with trace.get_tracer("shop").start_as_current_span("pack"):
        logger.warning("shipped")
    print("printed")
    return "shipped"


@app.task(name="orders.count")
def count(*numbers: Any) -> int:
    return len(numbers)


@app.task(name="orders.fail")
def fail() -> None:
    raise ValueError("planted")


@app.task(name="orders.expect", throws=(OutOfStockError,))
def expect() -> None:
    raise OutOfStockError


@app.task(name="orders.retry", bind=True)
def retry(self: Any) -> str:
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("planted"), countdown=0)
    return "at last"


@app.task(name="orders.reject", bind=True, acks_late=True)
def reject(self: Any) -> None:
    raise Reject("no", requeue=False)


@app.task(name="orders.ignore")
def ignore() -> None:
    raise Ignore


@app.task(name="orders.leave")
def leave() -> None:
    raise SystemExit(3)


@app.task(name="orders.die")
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="orders.book")
def book(url: str) -> int:
    """Asks another service."""
    logger.warning("booking a parcel")
    return httpx.get(url).status_code


@app.task(name="orders.fan_out")
def fan_out() -> None:
    """A group with a task behind all of it."""
    chord(group(count.s(1), count.s(2)), count.s()).delay()
