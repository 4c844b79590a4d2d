"""What payments is sent, and what it answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from otelkit_demo.payments.models import Payment


class Charge(serializers.Serializer[Any]):
    """Money to take. ``reference`` is the caller's own: asked twice, it is taken once."""

    reference = serializers.UUIDField()
    amount = serializers.IntegerField(min_value=1, max_value=100_000_000, help_text="cents")
    currency = serializers.ChoiceField(["EUR"])


class PaymentOut(serializers.ModelSerializer[Payment]):
    """A payment."""

    class Meta:
        model = Payment
        fields = ("id", "reference", "amount", "currency", "state", "created_at")
