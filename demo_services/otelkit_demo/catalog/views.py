"""The catalogue's API: read only."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit_demo.catalog import shelf
from otelkit_demo.catalog.serializers import Page, ProductOut, Question
from otelkit_demo.chassis.api import refusal

log = structlog.get_logger(__name__)


class Products(APIView):
    """``GET /api/products?search=&page=``."""

    @extend_schema(parameters=[Question], responses=Page, operation_id="list_products")
    def get(self, request: Request) -> Response:
        """A page of products, by name."""
        asked = Question(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = shelf.page(asked.validated_data["search"], asked.validated_data["page"])
        log.info("products listed", count=found["count"], page=found["page"], search=bool(asked.validated_data["search"]))
        return Response(found)


class OneProduct(APIView):
    """``GET /api/products/{sku}``."""

    @extend_schema(responses=ProductOut, operation_id="read_product")
    def get(self, _request: Request, sku: str) -> Response:
        """The product, or 404."""
        found = shelf.product(sku)
        if found is None:
            log.info("unknown sku", sku=sku)
            return refusal(HTTPStatus.NOT_FOUND, f"There is no SKU {sku}.")
        log.info("product read", sku=sku)
        return Response(found)
