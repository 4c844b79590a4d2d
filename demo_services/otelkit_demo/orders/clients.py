"""Inventory, as the orders service sees it: one call, and the three ways in which it can end without goods."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import httpx
from django.conf import settings

from otelkit_demo.orders.models import Order

TIMEOUT = httpx.Timeout(2.0, connect=0.5)
"""Seconds. Above inventory's latency objective, below a customer's patience."""


class OutOfStockError(Exception):
    """Inventory has too few."""


class UnknownSkuError(Exception):
    """Inventory never heard of it."""


class InventoryUnavailableError(Exception):
    """Inventory failed, answered nonsense, or took too long."""


@functools.cache
def _client() -> httpx.Client:
    # One per worker, made after the fork; httpx clients may be shared by threads. Proxies of the machine are not for neighbours.
    configured: Any = settings  # type checkers know another project's settings
    return httpx.Client(base_url=configured.INVENTORY_URL, timeout=TIMEOUT, trust_env=False)


def reserve(order: Order) -> uuid.UUID:
    """Hold the order's goods and return the reservation's id.

    Raises OutOfStockError, UnknownSkuError or InventoryUnavailableError, each with inventory's own words.
    """
    wish = {"reference": str(order.reference), "sku": order.sku, "quantity": order.quantity}
    try:
        answer = _client().post("/reservations", json=wish)
    except httpx.TimeoutException as error:
        raise InventoryUnavailableError(f"inventory did not answer within {TIMEOUT.read:g} s") from error
    except httpx.HTTPError as error:
        raise InventoryUnavailableError(f"inventory cannot be reached: {error}") from error
    if answer.status_code == httpx.codes.CONFLICT:
        raise OutOfStockError(_detail(answer))
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise UnknownSkuError(_detail(answer))
    if not answer.is_success:
        raise InventoryUnavailableError(f"inventory answered {answer.status_code}")
    try:
        return uuid.UUID(answer.json()["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise InventoryUnavailableError("inventory's answer holds no reservation id") from error


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"inventory answered {answer.status_code}"
