"""What a product costs: asked of the catalogue, and remembered for when the catalogue is away."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import structlog
from django.core.cache import cache, caches

from otelkit.patterns import resilience
from otelkit_demo.chassis.neighbours import NeighbourUnavailableError, detail
from otelkit_demo.orders import clients

log = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 6 * 3600


class PriceUnknownError(Exception):
    """The catalogue is away, and this product was not asked for lately."""


@dataclass(frozen=True, slots=True)
class Price:
    """Cents, the currency, and whether that is what was remembered."""

    cents: int
    currency: str
    remembered: bool = False


def price(sku: str) -> Price:
    """The price now, or the last one that is known. Raises UnknownSkuError, or PriceUnknownError."""
    return resilience.fall_back(lambda: _asked(sku), lambda: _remembered(sku), feature="price", on=(NeighbourUnavailableError,))


def _asked(sku: str) -> Price:
    answer = clients.catalog().call("price", "GET", f"/api/products/{quote(sku, safe='')}")
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise clients.UnknownSkuError(detail(answer))
    try:
        body = answer.json()
        found = Price(int(body["cents"]), str(body["currency"]))
    except (ValueError, KeyError, TypeError) as error:
        raise NeighbourUnavailableError("the catalogue's answer holds no price") from error
    if cache.get(_key(sku)) != found:
        # All workers remember it, also those that never asked; written once per process and price.
        cache.set(_key(sku), found, REMEMBERED_SECONDS)
        caches["shared"].set(_key(sku), found, REMEMBERED_SECONDS)
    return found


def _remembered(sku: str) -> Price:
    known: Price | None = cache.get(_key(sku)) or caches["shared"].get(_key(sku))
    if known is None:
        raise PriceUnknownError("The catalogue is away, and the price is not known.")
    log.warning("price as it was remembered", sku=sku)
    return Price(known.cents, known.currency, remembered=True)


def _key(sku: str) -> str:
    return f"price.{sku.encode().hex()}"
