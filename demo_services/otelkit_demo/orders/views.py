"""The orders API: place an order, read one, list the newest."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse

from otelkit_demo.chassis.problems import BadInputError, Resource, count_field, json_object, problem, text_field
from otelkit_demo.orders import clients
from otelkit_demo.orders.models import Order

log = structlog.get_logger(__name__)

MOST_PER_ORDER = 100
PAGE = 20


class Orders(Resource):
    """``POST /orders`` and ``GET /orders?sku=&status=``."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """201 with the order; 400 or 422 for bad input, 409 when out of stock, 502 when inventory fails."""
        try:
            order = _order_from(request)
        except BadInputError as bad:
            log.info("order refused", reason=bad.detail)
            return bad.response()
        log.info("order received", order_id=order.pk, sku=order.sku, quantity=order.quantity)
        return _placed(order)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """200 with the newest orders, at most ``PAGE`` of them."""
        orders = Order.objects.all()
        if sku := request.GET.get("sku"):
            orders = orders.filter(sku=sku)
        if status := request.GET.get("status"):
            if status not in Order.Status.values:
                return problem(HTTPStatus.BAD_REQUEST, f'status is one of {", ".join(Order.Status.values)}; it is "{status[:40]}".')
            orders = orders.filter(status=status)
        found = [_as_json(order) for order in orders[:PAGE]]
        log.info("orders listed", sku=sku, count=len(found))
        return JsonResponse({"orders": found})


class OneOrder(Resource):
    """``GET /orders/{pk}``."""

    def get(self, _request: HttpRequest, pk: int) -> HttpResponseBase:
        """200 with the order, or 404."""
        order = Order.objects.filter(pk=pk).first()
        if order is None:
            log.info("order not found", order_id=pk)
            return problem(HTTPStatus.NOT_FOUND, f"There is no order {pk}.")
        log.info("order read", order_id=pk, status=order.status)
        return JsonResponse(_as_json(order))


def _order_from(request: HttpRequest) -> Order:
    body = json_object(request)
    return Order.objects.create(sku=text_field(body, "sku", longest=32), quantity=count_field(body, "quantity", most=MOST_PER_ORDER))


def _placed(order: Order) -> HttpResponseBase:
    # No transaction around this: a lock must not be held while another service thinks.
    try:
        order.reservation = clients.reserve(order)
    except clients.OutOfStockError as error:
        return _ended(order, Order.Status.REJECTED, HTTPStatus.CONFLICT, str(error))
    except clients.UnknownSkuError as error:
        return _ended(order, Order.Status.REJECTED, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    except clients.InventoryUnavailableError as error:
        return _ended(order, Order.Status.FAILED, HTTPStatus.BAD_GATEWAY, f"The goods could not be reserved: {error}.")
    order.status = Order.Status.PLACED
    order.save(update_fields=["reservation", "status"])
    log.info("order placed", order_id=order.pk, sku=order.sku, reservation_id=str(order.reservation))
    response = JsonResponse(_as_json(order), status=HTTPStatus.CREATED)
    response["Location"] = reverse("order", args=[order.pk])
    return response


def _ended(order: Order, ending: Order.Status, status: HTTPStatus, reason: str) -> HttpResponseBase:
    order.status = ending
    order.save(update_fields=["status"])
    say = log.error if ending is Order.Status.FAILED else log.warning
    say(f"order {ending}", order_id=order.pk, sku=order.sku, reason=reason)
    return problem(status, reason, order_id=order.pk)


def _as_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "sku": order.sku,
        "quantity": order.quantity,
        "status": order.status,
        "reservation": order.reservation,
        "ordered_at": order.ordered_at,
    }
