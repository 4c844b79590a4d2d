"""The same request through Django's WSGI and ASGI handlers, for tests that must hold in both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client

Ask = Callable[..., Any]


class _PeerClient(AsyncClient):
    """Says who is at the other end of the socket, and sends a header once: Django's own adds its Host to the given one."""

    def __init__(self, peer: str) -> None:
        super().__init__(raise_request_exception=False)
        self._peer = peer

    def _base_scope(self, **request: Any) -> dict[str, Any]:
        scope = super()._base_scope(**request)
        headers = dict(pair for pair in scope["headers"] if pair != (b"cookie", b""))
        return {**scope, "client": [self._peer, 41000], "headers": list(headers.items())}


def ask_sync(path: str, method: str = "GET", headers: dict[str, str] | None = None, peer: str = "127.0.0.1", **rest: Any) -> Any:
    """The answer of a sync project. ``peer`` is the address of the socket's other end."""
    client = Client(raise_request_exception=False)
    return client.generic(method, path, headers=headers or {}, REMOTE_ADDR=peer, **rest)


def ask_async(path: str, method: str = "GET", headers: dict[str, str] | None = None, peer: str = "127.0.0.1", **rest: Any) -> Any:
    """The answer of an async project, from an event loop of its own."""

    async def ask() -> Any:
        try:
            return await _PeerClient(peer).generic(method, path, headers=headers or {}, **rest)
        finally:
            # The thread of the project's sync parts outlives the test; its connection, opened for this kit, must not.
            await sync_to_async(connections.close_all)()

    return asyncio.run(ask())


BOTH = (ask_sync, ask_async)
