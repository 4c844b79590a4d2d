"""What the orders service remembers. Goods are known by their SKU only; whether they exist is the catalogue's business."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

LONGEST_REASON = 300


class Order(models.Model):
    """One customer's wish for a quantity of one SKU. Amounts are in cents."""

    class Status(models.TextChoices):
        PENDING = "pending"  # the saga is under way
        PLACED = "placed"  # the goods are sold and paid
        REJECTED = "rejected"  # somebody said no: out of stock, the bank
        FAILED = "failed"  # somebody could not be asked
        REFUNDED = "refunded"  # it was placed, and the money is back

    # The idempotency key everywhere: asking twice for one order holds its goods once and takes its money once.
    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sku = models.CharField(max_length=32, db_index=True)
    quantity = models.PositiveIntegerField()
    customer = models.CharField(max_length=150, blank=True)
    unit_price = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="EUR")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    reservation = models.UUIDField(null=True, editable=False)
    payment = models.UUIDField(null=True, editable=False)
    ordered_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Order]] = models.Manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"order {self.pk}: {self.quantity} x {self.sku}, {self.status}"

    @property
    def total(self) -> int:
        """What it costs, in cents."""
        return self.unit_price * self.quantity
