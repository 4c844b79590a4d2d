"""Keys that were used, each with the answer that its request got."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from otelkit.patterns.idempotency.answering import LONGEST_KEY


class IdempotencyKey(models.Model):
    """One key. A row that others can see is of a request that was done: it is committed with the work."""

    scope = models.CharField(max_length=64)
    """Whose key it is, and for what: a hash, so that no credential is stored."""
    key = models.CharField(max_length=LONGEST_KEY)
    fingerprint = models.CharField(max_length=64)
    """What was asked for: a hash."""
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    """None where the answer could not be kept: it was a stream, or too large."""
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "otelkit_idempotency_key"
        constraints = (models.UniqueConstraint(fields=["scope", "key"], name="otelkit_idempotency_key_once"),)
        indexes = (models.Index(fields=["expires_at"], name="otelkit_idempotency_expiry"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
