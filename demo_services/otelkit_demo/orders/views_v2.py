"""Version 2 of the orders API: orders are known by a reference that nobody can count."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import ClassVar

import structlog
from django.urls import reverse
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit.patterns.idempotency import idempotent
from otelkit_demo.chassis.api import IDEMPOTENCY_KEY, STALE, caller_of, refusal
from otelkit_demo.orders import placing
from otelkit_demo.orders.models import Order
from otelkit_demo.orders.serializers import OrderV2, WishV2
from otelkit_demo.orders.views_v1 import SCOPES

log = structlog.get_logger(__name__)


class Orders(APIView):
    """``POST /api/v2/orders``."""

    scopes: ClassVar = SCOPES

    @extend_schema(request=WishV2, parameters=[IDEMPOTENCY_KEY], responses={201: OrderV2, 202: OrderV2}, operation_id="place_order")
    @method_decorator(idempotent(cache="shared", scope=caller_of))
    def post(self, request: Request) -> Response:
        """201 with the order, 202 where its end is open; 402, 409 or 422 where somebody says no, 502 where somebody cannot be asked."""
        asked = WishV2(data=request.data)
        asked.is_valid(raise_exception=True)
        placed = placing.placed(**asked.validated_data)
        if isinstance(placed, Response):
            return placed
        order, remembered = placed
        if refused := placing.refused(order):
            return refused
        headers = {"Location": reverse("v2-order", args=[order.reference])}
        if remembered:
            headers["Warning"] = STALE
        status = HTTPStatus.CREATED if order.status == Order.Status.PLACED else HTTPStatus.ACCEPTED
        return Response(OrderV2(order, context={"price_remembered": remembered}).data, status=status, headers=headers)


class OneOrder(APIView):
    """``GET /api/v2/orders/{reference}``."""

    scopes: ClassVar = SCOPES

    @extend_schema(responses=OrderV2, operation_id="read_order")
    def get(self, _request: Request, reference: uuid.UUID) -> Response:
        """The order, or 404."""
        order = Order.objects.filter(reference=reference).first()
        if order is None:
            log.info("order not found", reference=str(reference))
            return refusal(HTTPStatus.NOT_FOUND, f"There is no order {reference}.")
        log.info("order read", order_id=order.pk, status=order.status)
        return Response(OrderV2(order).data)


class Refund(APIView):
    """``POST /api/v2/orders/{reference}/refund``."""

    scopes: ClassVar = SCOPES

    @extend_schema(request=None, responses={200: OrderV2, 202: OrderV2}, operation_id="refund_order")
    def post(self, _request: Request, reference: uuid.UUID) -> Response:
        """200 with the refunded order, 202 where that takes longer; 404, or 409 where there is nothing to refund."""
        order = Order.objects.filter(reference=reference).first()
        if order is None:
            return refusal(HTTPStatus.NOT_FOUND, f"There is no order {reference}.")
        if order.status not in (Order.Status.PLACED, Order.Status.REFUNDED):
            return refusal(HTTPStatus.CONFLICT, f"An order that is {order.status} cannot be refunded.")
        order = placing.refunded(order)
        status = HTTPStatus.OK if order.status == Order.Status.REFUNDED else HTTPStatus.ACCEPTED
        return Response(OrderV2(order).data, status=status)
