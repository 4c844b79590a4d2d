"""What customers were told. An order is known by its reference only."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Notification(models.Model):
    """One message. It is sent by a worker, after it was stored."""

    event = models.CharField(max_length=64)
    order = models.UUIDField(db_index=True)
    customer = models.CharField(max_length=150, blank=True)
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Notification]] = models.Manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"notification {self.pk}: {self.event}"
