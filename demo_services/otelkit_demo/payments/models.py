"""Money that is promised, taken or given back. An order is known by its reference only."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class Payment(models.Model):
    """One payment. Amounts are in the currency's smallest unit: cents."""

    class State(models.TextChoices):
        AUTHORISED = "authorised"  # the bank holds it for us
        CAPTURED = "captured"  # it is ours
        VOIDED = "voided"  # the bank holds it no more
        REFUNDED = "refunded"  # it was ours
        DECLINED = "declined"  # the bank said no

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.UUIDField(unique=True, editable=False)
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices)
    provider_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[Payment]] = models.Manager()

    def __str__(self) -> str:
        return f"payment {self.pk}: {self.amount} {self.currency}, {self.state}"
