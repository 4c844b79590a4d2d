"""What is on the shelf, and what is held for whom. An order is known by its reference only."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class Stock(models.Model):
    """How many of one SKU there are: ``available`` can be sold, ``reserved`` is held for orders."""

    sku = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    available = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField(default=0)

    objects: ClassVar[models.Manager[Stock]] = models.Manager()

    class Meta:
        verbose_name_plural = "stock"

    def __str__(self) -> str:
        return f"{self.sku}: {self.available} available, {self.reserved} reserved"


class Reservation(models.Model):
    """A quantity of one SKU, held for the caller that sent ``reference``."""

    class State(models.TextChoices):
        HELD = "held"  # off the shelf, not sold yet
        COMMITTED = "committed"  # sold
        RELEASED = "released"  # back on the shelf

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.UUIDField(unique=True, editable=False)
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.HELD)
    reserved_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Reservation]] = models.Manager()

    def __str__(self) -> str:
        return f"reservation {self.pk}: {self.quantity} for {self.reference}, {self.state}"
