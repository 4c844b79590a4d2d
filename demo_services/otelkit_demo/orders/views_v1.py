"""Version 1 of the orders API, which ends: place an order, read one, list the newest."""

from __future__ import annotations

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
from otelkit_demo.chassis.api import IDEMPOTENCY_KEY, caller_of, refusal
from otelkit_demo.orders import placing
from otelkit_demo.orders.models import Order
from otelkit_demo.orders.serializers import OrderV1, PageV1, Question, WishV1

log = structlog.get_logger(__name__)

PAGE = 20
SCOPES = {"GET": "orders:read", "POST": "orders:write"}


class Orders(APIView):
    """``POST /api/v1/orders`` and ``GET /api/v1/orders?sku=&status=``."""

    scopes: ClassVar = SCOPES

    @extend_schema(
        request=WishV1, parameters=[IDEMPOTENCY_KEY], responses={201: OrderV1, 202: OrderV1}, operation_id="place_order_v1", deprecated=True
    )
    @method_decorator(idempotent(cache="shared", scope=caller_of))
    def post(self, request: Request) -> Response:
        """201 with the order, 202 where its end is open; 402, 409 or 422 where somebody says no, 502 where somebody cannot be asked."""
        asked = WishV1(data=request.data)
        asked.is_valid(raise_exception=True)
        placed = placing.placed(asked.validated_data["sku"], asked.validated_data["quantity"])
        if isinstance(placed, Response):
            return placed
        order, _ = placed
        if refused := placing.refused(order):
            return refused
        status = HTTPStatus.CREATED if order.status == Order.Status.PLACED else HTTPStatus.ACCEPTED
        return Response(OrderV1(order).data, status=status, headers={"Location": reverse("v1-order", args=[order.pk])})

    @extend_schema(parameters=[Question], responses=PageV1, operation_id="list_orders_v1", deprecated=True)
    def get(self, request: Request) -> Response:
        """The newest orders, at most ``PAGE`` of them."""
        asked = Question(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = {name: value for name, value in asked.validated_data.items() if value}
        found = OrderV1(Order.objects.filter(**wanted)[:PAGE], many=True).data
        log.info("orders listed", sku=wanted.get("sku"), count=len(found))
        return Response({"orders": found})


class OneOrder(APIView):
    """``GET /api/v1/orders/{pk}``."""

    scopes: ClassVar = SCOPES

    @extend_schema(responses=OrderV1, operation_id="read_order_v1", deprecated=True)
    def get(self, _request: Request, pk: int) -> Response:
        """The order, or 404."""
        order = Order.objects.filter(pk=pk).first()
        if order is None:
            log.info("order not found", order_id=pk)
            return refusal(HTTPStatus.NOT_FOUND, f"There is no order {pk}.")
        log.info("order read", order_id=pk, status=order.status)
        return Response(OrderV1(order).data)
