"""Django's caches: a service's own and the one that its workers share, and keys, which take neither spaces nor more than 250 characters."""

from __future__ import annotations

import hashlib
from typing import Any

OWN_AND_SHARED: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"},
}
"""``CACHES`` of a service that keeps earlier answers for their Idempotency-Key: in the database, which all workers share."""


def cache_key(name: str, *parts: str) -> str:
    """A key for whatever these parts are; two different ones have different keys."""
    return f"{name}.{hashlib.sha256(repr(parts).encode()).hexdigest()}"
