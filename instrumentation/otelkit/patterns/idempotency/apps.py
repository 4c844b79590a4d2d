"""The app: a table of keys, for ``idempotent(store="database")``."""

from __future__ import annotations

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """Idempotency keys. Asks no database while it gets ready."""

    name = "otelkit.patterns.idempotency"
    label = "otelkit_idempotency"
    verbose_name = "idempotency keys"
    default_auto_field = "django.db.models.BigAutoField"
