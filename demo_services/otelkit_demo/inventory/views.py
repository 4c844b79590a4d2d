"""The inventory API: hold goods, look at a reservation, look at the shelf. Async views, stdlib logging."""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse

from otelkit_demo.chassis.problems import BadInputError, Resource, count_field, json_object, problem, text_field
from otelkit_demo.inventory.disturbance import disturb
from otelkit_demo.inventory.models import Reservation, Stock
from otelkit_demo.inventory.shelf import OutOfStockError, UnknownSkuError, hold

log = logging.getLogger(__name__)

MOST_PER_RESERVATION = 100


class Reservations(Resource):
    """``POST /reservations``."""

    async def post(self, request: HttpRequest) -> HttpResponseBase:
        """201 with a new reservation, 200 with the earlier one for the same reference; 404 for an unknown SKU, 409 when out of stock."""
        try:
            reference, sku, quantity = _wish(request)
        except BadInputError as bad:
            log.info("reservation refused", extra={"reason": bad.detail})
            return bad.response()
        await disturb()
        told: dict[str, Any] = {"sku": sku, "quantity": quantity, "reference": str(reference)}
        try:
            # In a thread, because Django has transactions for sync code only.
            reservation, is_new = await sync_to_async(hold)(reference, sku, quantity)
        except OutOfStockError as error:
            log.warning("out of stock", extra=told | {"available": error.available})
            return problem(HTTPStatus.CONFLICT, f"{error}.", available=error.available)
        except UnknownSkuError as error:
            log.info("unknown sku", extra=told)
            return problem(HTTPStatus.NOT_FOUND, f"{error}.")
        log.info("stock reserved" if is_new else "reservation replayed", extra=told | {"reservation_id": str(reservation.pk)})
        response = JsonResponse(_as_json(reservation, sku), status=HTTPStatus.CREATED if is_new else HTTPStatus.OK)
        response["Location"] = reverse("reservation", args=[reservation.pk])
        return response


class OneReservation(Resource):
    """``GET /reservations/{pk}``."""

    async def get(self, _request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
        """200 with the reservation, or 404."""
        reservation = await Reservation.objects.select_related("stock").filter(pk=pk).afirst()
        if reservation is None:
            return problem(HTTPStatus.NOT_FOUND, f"There is no reservation {pk}.")
        return JsonResponse(_as_json(reservation, reservation.stock.sku))


class OneStock(Resource):
    """``GET /stock/{sku}``."""

    async def get(self, _request: HttpRequest, sku: str) -> HttpResponseBase:
        """200 with what is on the shelf, or 404."""
        stock = await Stock.objects.filter(sku=sku).afirst()
        if stock is None:
            log.info("unknown sku", extra={"sku": sku})
            return problem(HTTPStatus.NOT_FOUND, f"There is no SKU {sku}.")
        log.info("stock read", extra={"sku": sku, "available": stock.available})
        return JsonResponse({"sku": stock.sku, "name": stock.name, "available": stock.available, "reserved": stock.reserved})


def _wish(request: HttpRequest) -> tuple[uuid.UUID, str, int]:
    body = json_object(request)
    reference = text_field(body, "reference", longest=36)
    try:
        key = uuid.UUID(reference)
    except ValueError as error:
        detail = f'reference must be a UUID; it is "{reference}".'
        raise BadInputError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field="reference") from error
    return key, text_field(body, "sku", longest=32), count_field(body, "quantity", most=MOST_PER_RESERVATION)


def _as_json(reservation: Reservation, sku: str) -> dict[str, Any]:
    return {"id": reservation.pk, "sku": sku, "quantity": reservation.quantity, "reserved_at": reservation.reserved_at}
