"""The inventory API: hold goods, sell or release them, look at the shelf. Standard library logging."""

from __future__ import annotations

import logging
import uuid
from http import HTTPStatus
from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit_demo.chassis.api import refusal
from otelkit_demo.inventory import shelf
from otelkit_demo.inventory.disturbance import disturb
from otelkit_demo.inventory.models import Stock
from otelkit_demo.inventory.serializers import ReservationOut, StockOut, Wish

log = logging.getLogger(__name__)

WRITE = "inventory:write"


class Reservations(APIView):
    """``POST /reservations``."""

    scopes: ClassVar = {"POST": WRITE}

    @extend_schema(request=Wish, responses={200: ReservationOut, 201: ReservationOut}, operation_id="reserve")
    def post(self, request: Request) -> Response:
        """201 with a new reservation, 200 with the earlier one for the same reference; 404 for an unknown SKU, 409 when out of stock."""
        asked = Wish(data=request.data)
        if not asked.is_valid():
            log.info("reservation refused", extra={"fields": sorted(asked.errors)})
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        disturb()
        told: dict[str, Any] = {"sku": wish["sku"], "quantity": wish["quantity"], "reference": str(wish["reference"])}
        try:
            reservation, is_new = shelf.hold(wish["reference"], wish["sku"], wish["quantity"])
        except shelf.OutOfStockError as error:
            log.warning("out of stock", extra=told | {"available": error.available})
            return refusal(HTTPStatus.CONFLICT, f"{error}.", available=error.available)
        except shelf.UnknownSkuError as error:
            log.info("unknown sku", extra=told)
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")
        log.info("stock reserved" if is_new else "reservation replayed", extra=told | {"reservation_id": str(reservation.pk)})
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return Response(
            ReservationOut(reservation).data, status=status, headers={"Location": reverse("reservation", args=[reservation.pk])}
        )


class OneReservation(APIView):
    """``GET /reservations/{pk}``; ``pk`` may be the reference, too."""

    @extend_schema(responses=ReservationOut, operation_id="read_reservation")
    def get(self, _request: Request, pk: uuid.UUID) -> Response:
        """The reservation, or 404."""
        try:
            return Response(ReservationOut(shelf.find(pk)).data)
        except shelf.NoReservationError as error:
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")


class Commit(APIView):
    """``POST /reservations/{pk}/commit``."""

    scopes: ClassVar = {"POST": WRITE}

    @extend_schema(request=None, responses=ReservationOut, operation_id="commit_reservation")
    def post(self, _request: Request, pk: uuid.UUID) -> Response:
        """The reservation, sold; 404, or 409 where it is released."""
        try:
            reservation = shelf.commit(pk)
        except shelf.NoReservationError as error:
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")
        except shelf.NotHeldError as error:
            return refusal(HTTPStatus.CONFLICT, f"{error}.")
        log.info("reservation committed", extra={"reservation_id": str(reservation.pk)})
        return Response(ReservationOut(reservation).data)


class Release(APIView):
    """``POST /reservations/{pk}/release``."""

    scopes: ClassVar = {"POST": WRITE}

    @extend_schema(request=None, responses=ReservationOut, operation_id="release_reservation")
    def post(self, _request: Request, pk: uuid.UUID) -> Response:
        """The reservation, its goods back on the shelf; or 404."""
        try:
            reservation = shelf.release(pk)
        except shelf.NoReservationError as error:
            return refusal(HTTPStatus.NOT_FOUND, f"{error}.")
        log.info("reservation released", extra={"reservation_id": str(reservation.pk)})
        return Response(ReservationOut(reservation).data)


class OneStock(APIView):
    """``GET /stock/{sku}``."""

    @extend_schema(responses=StockOut, operation_id="read_stock")
    def get(self, _request: Request, sku: str) -> Response:
        """What is on the shelf, or 404."""
        stock = Stock.objects.filter(sku=sku).first()
        if stock is None:
            log.info("unknown sku", extra={"sku": sku})
            return refusal(HTTPStatus.NOT_FOUND, f"There is no SKU {sku}.")
        log.info("stock read", extra={"sku": sku, "available": stock.available})
        return Response(StockOut(stock).data)
