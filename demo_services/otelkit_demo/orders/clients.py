"""The services that orders calls, and the ways in which they can say no."""

from __future__ import annotations

import uuid
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
from django.conf import settings

from otelkit_demo.chassis.neighbours import Neighbour, NeighbourUnavailableError, detail
from otelkit_demo.chassis.tokens import TokenSource, from_gateway


class RefusedError(Exception):
    """A service said no, for good: trying again changes nothing. Its text is the service's own."""


class OutOfStockError(RefusedError):
    """Inventory has too few."""


class UnknownSkuError(RefusedError):
    """The catalogue, or inventory, never heard of it."""


class PaymentDeclinedError(RefusedError):
    """The bank said no."""


@cache
def catalog() -> Neighbour:
    """The catalogue, whose prices everybody may read."""
    return Neighbour("catalog", _setting("CATALOG_URL"), caller="orders", seconds=1.0)


@cache
def inventory() -> Neighbour:
    """Inventory, with tokens that may write."""
    return Neighbour("inventory", _setting("INVENTORY_URL"), caller="orders", tokens=_tokens("inventory"))


@cache
def payments() -> Neighbour:
    """Payments, with tokens that may write."""
    return Neighbour("payments", _setting("PAYMENTS_URL"), caller="orders", tokens=_tokens("payments"))


def reserve(reference: str, sku: str, quantity: int) -> uuid.UUID:
    """Holds goods and gives the reservation. Raises OutOfStockError, UnknownSkuError or NeighbourUnavailableError."""
    wish = {"reference": reference, "sku": sku, "quantity": quantity}
    answer = inventory().call("reserve", "POST", "/reservations", json=wish)
    if answer.status_code == HTTPStatus.CONFLICT:
        raise OutOfStockError(detail(answer))
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise UnknownSkuError(detail(answer))
    return _id(inventory(), answer)


def commit(reservation: str) -> None:
    """The goods are sold. Raises NeighbourUnavailableError."""
    _must(inventory(), inventory().call("commit", "POST", f"/reservations/{reservation}/commit"))


def release(key: str) -> None:
    """The goods of this reservation, or reference, are back; nothing, where none were held. Raises NeighbourUnavailableError."""
    _must(inventory(), inventory().call("release", "POST", f"/reservations/{key}/release"), or_else=(HTTPStatus.NOT_FOUND,))


def authorise(reference: str, amount: int, currency: str) -> uuid.UUID:
    """Has the bank hold the money and gives the payment. Raises PaymentDeclinedError or NeighbourUnavailableError."""
    wish = {"reference": reference, "amount": amount, "currency": currency}
    answer = payments().call("authorise", "POST", "/payments", json=wish, headers={"Idempotency-Key": reference})
    if answer.status_code == HTTPStatus.PAYMENT_REQUIRED:
        raise PaymentDeclinedError(detail(answer))
    return _id(payments(), answer)


def capture(payment: str) -> None:
    """The money is ours. Raises NeighbourUnavailableError."""
    _must(payments(), payments().call("capture", "POST", f"/payments/{payment}/capture"))


def void(key: str) -> None:
    """The bank holds the money no more, and it is not ours either; nothing, where it held none. Raises NeighbourUnavailableError."""
    answer = payments().call("void", "POST", f"/payments/{key}/void")
    if answer.status_code == HTTPStatus.CONFLICT:
        # An answer to a capture may have got lost. Where it is not captured either, there is nothing to give back.
        answer = payments().call("refund", "POST", f"/payments/{key}/refund")
    _must(payments(), answer, or_else=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))


def refund(payment: str) -> None:
    """The money is the customer's again. Raises NeighbourUnavailableError."""
    _must(payments(), payments().call("refund", "POST", f"/payments/{payment}/refund"))


def _must(neighbour: Neighbour, answer: httpx.Response, or_else: tuple[HTTPStatus, ...] = ()) -> None:
    if not answer.is_success and answer.status_code not in or_else:
        raise NeighbourUnavailableError(f"{neighbour.name} refused with {answer.status_code}: {detail(answer)}")


def _id(neighbour: Neighbour, answer: httpx.Response) -> uuid.UUID:
    _must(neighbour, answer)
    try:
        return uuid.UUID(answer.json()["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise NeighbourUnavailableError(f"the answer of {neighbour.name} holds no id") from error


def _tokens(audience: str) -> TokenSource:
    return from_gateway(_setting("GATEWAY_URL"), "orders", audience, f"{audience}:write")


def _setting(name: str) -> str:
    configured: Any = settings  # type checkers know another project's settings
    return str(getattr(configured, name))
