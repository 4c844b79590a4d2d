"""What inventory is sent, and what it answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from otelkit_demo.inventory.models import Reservation, Stock

MOST_PER_RESERVATION = 100


class Wish(serializers.Serializer[Any]):
    """Goods to hold. ``reference`` is the caller's own: asked twice, they are held once."""

    reference = serializers.UUIDField()
    sku = serializers.CharField(max_length=32)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_PER_RESERVATION)


class ReservationOut(serializers.ModelSerializer[Reservation]):
    """A reservation."""

    sku = serializers.CharField(source="stock.sku")

    class Meta:
        model = Reservation
        fields = ("id", "reference", "sku", "quantity", "state", "reserved_at")


class StockOut(serializers.ModelSerializer[Stock]):
    """What is on the shelf."""

    class Meta:
        model = Stock
        fields = ("sku", "name", "available", "reserved")
