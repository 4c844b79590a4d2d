"""Caches that break."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache


class Forgetful(LocMemCache):
    """Takes everything and has nothing."""

    def get(self, *_: Any, **__: Any) -> None:
        return None


class Away(LocMemCache):
    """As a server that nobody reaches."""

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("redis://user:hunter2@cache:6379 refused")

    get = set = add = delete = incr = touch = _fail
