"""What the catalogue answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from otelkit_demo.catalog.models import Product

LAST_PAGE = 10_000


class ProductOut(serializers.ModelSerializer[Product]):
    """One product."""

    category = serializers.CharField(source="category.name")
    price = serializers.SerializerMethodField(help_text="in the currency's unit, as people write it")
    cents = serializers.IntegerField(source="price")

    class Meta:
        model = Product
        fields = ("sku", "name", "description", "category", "price", "cents", "currency")

    def get_price(self, product: Product) -> str:
        return f"{product.price / 100:.2f}"


class Page(serializers.Serializer[Any]):
    """A page of products."""

    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    results = ProductOut(many=True)


class Question(serializers.Serializer[Any]):
    """Which products."""

    search = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    page = serializers.IntegerField(required=False, min_value=1, max_value=LAST_PAGE, default=1)
