"""The caches that the tests ask, each as a project would configure it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import InvalidCacheKey
from django.core.cache.backends.locmem import LocMemCache

from tests.receivers import refused_endpoint

NO_REDIS = "redis-server is not installed: apt-get install redis-server"


@contextmanager
def a_redis(folder: Path, *options: str) -> Iterator[str]:
    """The address of a Redis of our own, without files."""
    port = int(refused_endpoint().rpartition(":")[2])
    program = shutil.which("redis-server")
    assert program is not None, NO_REDIS
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _until_it_answers(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(10)


def _until_it_answers(port: int) -> None:
    import redis

    deadline = time.monotonic() + 20
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)  # a condition that can only be asked for


class Broken(LocMemCache):
    """As a cache whose server is away."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        raise ConnectionError("the server is away")

    def set(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the server is away")


class TwoLevels(LocMemCache):
    """Asks another cache where it has nothing itself."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        from django.core.cache import caches

        missing = object()
        found = super().get(key, missing, version)
        return caches["default"].get(key, default) if found is missing else found


class KeyOnly(LocMemCache):
    """Takes no default, as a project's own backend may."""

    def get(self, key: Any) -> Any:  # type: ignore[override]  # that is the point
        return super().get(key)


class Unhashable(LocMemCache):
    """Cannot be a key of a dictionary, as a careless __eq__ makes it."""

    __hash__ = None  # type: ignore[assignment]


class Strict(LocMemCache):
    """Takes only keys that memcached would take."""

    def validate_key(self, key: Any) -> None:
        if len(str(key)) > 250:
            raise InvalidCacheKey(key)


class Later(LocMemCache):
    """Begins something else while it is asked."""

    begin: Callable[[], None] = staticmethod(lambda: None)

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        type(self).begin()
        return default
