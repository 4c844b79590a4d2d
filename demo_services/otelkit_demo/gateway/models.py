"""What the gateway remembers of its own: the keys that it signs tokens with. Users and sessions are Django's."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class SigningKey(models.Model):
    """One Ed25519 key. It is published, then signs, then is published until the last token that it signed has expired."""

    kid = models.CharField(max_length=32, unique=True)
    private = models.TextField(editable=False)
    created_at = models.DateTimeField(db_index=True)

    objects: ClassVar[models.Manager[SigningKey]] = models.Manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"signing key {self.kid}"
