"""What orders is sent, and what it answers, in both versions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from otelkit_demo.orders.models import Order

MOST_PER_ORDER = 100


class WishV1(serializers.Serializer[Any]):
    """What is ordered."""

    sku = serializers.CharField(max_length=32)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_PER_ORDER)


class WishV2(WishV1):
    """What is ordered, and for whom."""

    customer = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")


class OrderV1(serializers.ModelSerializer[Order]):
    """An order, known by its number."""

    class Meta:
        model = Order
        fields = ("id", "sku", "quantity", "status", "reservation", "ordered_at")


class OrderV2(serializers.ModelSerializer[Order]):
    """An order, known by its reference, with what it costs."""

    total = serializers.SerializerMethodField()
    price_remembered = serializers.SerializerMethodField(help_text="whether the catalogue was away, and the price is the last known")

    class Meta:
        model = Order
        fields = ("reference", "sku", "quantity", "status", "reason", "total", "currency", "price_remembered", "ordered_at")

    def get_total(self, order: Order) -> str:
        return f"{order.total / 100:.2f}"

    def get_price_remembered(self, _order: Order) -> bool:
        return bool(self.context.get("price_remembered", False))


class PageV1(serializers.Serializer[Any]):
    """The newest orders."""

    orders = OrderV1(many=True)


class Question(serializers.Serializer[Any]):
    """Which orders."""

    sku = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    status = serializers.ChoiceField(Order.Status.choices, required=False, allow_blank=True, default="")
