"""Keys for Django's caches, which take neither spaces nor more than 250 characters."""

from __future__ import annotations

import hashlib


def cache_key(name: str, *parts: str) -> str:
    """A key for whatever these parts are; two different ones have different keys."""
    return f"{name}.{hashlib.sha256(repr(parts).encode()).hexdigest()}"
