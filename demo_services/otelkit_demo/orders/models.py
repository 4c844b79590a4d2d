"""What the orders service remembers. Goods are known by their SKU only; whether they exist is inventory's business."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class Order(models.Model):
    """One customer's wish for a quantity of one SKU."""

    class Status(models.TextChoices):
        PENDING = "pending"  # inventory has not answered
        PLACED = "placed"  # inventory holds the goods
        REJECTED = "rejected"  # inventory said no
        FAILED = "failed"  # inventory could not be asked

    # Inventory's idempotency key: asking twice for one order holds its goods once.
    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sku = models.CharField(max_length=32, db_index=True)
    quantity = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    reservation = models.UUIDField(null=True, editable=False)
    ordered_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Order]] = models.Manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"order {self.pk}: {self.quantity} x {self.sku}, {self.status}"
