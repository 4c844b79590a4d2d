"""What browsers and apps call: the gateway asks the services, and answers with less where one of them is away."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import structlog
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit.patterns import resilience
from otelkit_demo.chassis.api import IDEMPOTENCY_KEY, STALE, refusal
from otelkit_demo.chassis.caching import cache_key
from otelkit_demo.chassis.neighbours import NeighbourUnavailableError
from otelkit_demo.chassis.problems import MEDIA_TYPE, problem
from otelkit_demo.gateway.neighbours import neighbour
from otelkit_demo.gateway.serializers import Basket, Search

log = structlog.get_logger(__name__)

STALE_SECONDS = 3600
"""How long an answer of the catalogue may be shown while the catalogue is away."""


class Products(APIView):
    """``GET /api/products?search=&page=``."""

    @extend_schema(parameters=[Search], responses=OpenApiTypes.OBJECT, operation_id="list_products")
    def get(self, request: Request) -> Response:
        """A page of the catalogue; while the catalogue is away, the page as it was, with a Warning."""
        wish = Search(data=request.query_params)
        wish.is_valid(raise_exception=True)
        return _from_catalog("list", "/api/products", dict(wish.validated_data))


class Product(APIView):
    """``GET /api/products/{sku}``."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="read_product")
    def get(self, _request: Request, sku: str) -> Response:
        """One product, and how many there are: ``available`` is null where inventory cannot say."""
        answer = _from_catalog("read", f"/api/products/{sku}", {})
        if answer.status_code == HTTPStatus.OK:
            stock = resilience.fall_back(lambda: _stock(sku), lambda: None, feature="stock", on=(NeighbourUnavailableError,))
            answer.data = {**answer.data, "available": stock}
        return answer


class Checkout(APIView):
    """``POST /api/v2/checkout``, and ``/api/v1/checkout`` for apps that are old."""

    @extend_schema(request=Basket, parameters=[IDEMPOTENCY_KEY], responses={201: OpenApiTypes.OBJECT, 202: OpenApiTypes.OBJECT})
    def post(self, request: Request, version: str) -> Response:
        """201 with the order; 202 where its end is open; else what orders says is wrong with it."""
        basket = Basket(data=request.data)
        basket.is_valid(raise_exception=True)
        headers = {"Idempotency-Key": key} if (key := request.headers.get("Idempotency-Key", "")) else {}
        wish = {**basket.validated_data, **({"customer": request.user.get_username()} if version == "v2" else {})}
        log.info("checkout begun", sku=wish["sku"], quantity=wish["quantity"], api_version=version)
        # Not again: orders tries again what it calls, and tries would multiply from service to service.
        return _passed_on(_orders("place", "POST", f"/api/{version}/orders", json=wish, headers=headers, again=False))


class Order(APIView):
    """``GET /api/orders/{reference}``."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="read_order")
    def get(self, _request: Request, reference: str) -> Response:
        """The order, or 404."""
        return _passed_on(_orders("read", "GET", f"/api/v2/orders/{reference}"))


class Refund(APIView):
    """``POST /api/orders/{reference}/refund``."""

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT, 202: OpenApiTypes.OBJECT}, operation_id="refund_order")
    def post(self, _request: Request, reference: str) -> Response:
        """The order, refunded; 409 where there is nothing to refund."""
        return _passed_on(_orders("refund", "POST", f"/api/v2/orders/{reference}/refund"))


def csrf_failed(_request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """``CSRF_FAILURE_VIEW``: a problem body."""
    return problem(HTTPStatus.FORBIDDEN, "The CSRF token is missing or wrong: send the cookie csrftoken as the header X-CSRFToken.")


def _from_catalog(operation: str, path: str, params: dict[str, str]) -> Response:
    key = cache_key("catalog", path, *(f"{name}={value}" for name, value in sorted(params.items())))

    def fresh() -> Response:
        answer = neighbour("catalog").call(operation, "GET", path, params=params)
        if answer.is_server_error:
            raise NeighbourUnavailableError(f"catalog answered {answer.status_code}")
        if answer.is_success:
            cache.set(key, answer.json(), STALE_SECONDS)
        return _passed_on(answer)

    def stale() -> Response:
        kept = cache.get(key)
        if kept is None:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The catalogue is away, and this was not read lately.")
        log.warning("catalogue shown as it was", path=path)
        return Response(kept, headers={"Warning": STALE})

    return resilience.fall_back(fresh, stale, feature="catalog", on=(NeighbourUnavailableError,))


def _stock(sku: str) -> int | None:
    answer = neighbour("inventory").call("stock", "GET", f"/stock/{sku}")
    return int(answer.json()["available"]) if answer.is_success else None


def _orders(operation: str, method: str, path: str, **more: Any) -> httpx.Response | NeighbourUnavailableError:
    try:
        return neighbour("orders").call(operation, method, path, **more)
    except NeighbourUnavailableError as error:
        log.error("orders cannot be asked", reason=str(error))
        return error


_TOLD = ("Location", "Idempotency-Replayed", "Retry-After", "Warning")


def _passed_on(answer: httpx.Response | NeighbourUnavailableError) -> Response:
    if isinstance(answer, NeighbourUnavailableError):
        return refusal(HTTPStatus.BAD_GATEWAY, f"{answer}."[:1000])
    kind = answer.headers.get("content-type", "").partition(";")[0]
    headers = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
    try:
        body = answer.json()
    except ValueError:
        return refusal(HTTPStatus.BAD_GATEWAY, "The answer of a service behind the gateway is not JSON.")
    return Response(body, status=answer.status_code, headers=headers, content_type=kind if kind == MEDIA_TYPE else None)
