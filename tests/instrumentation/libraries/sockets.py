"""Consumers of Channels, sync and async, and a real server for them in this process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from otelkit.startup import current
from tests.backends import wait_until

logger = logging.getLogger("shop.sockets")


class Echo(AsyncWebsocketConsumer):
    """Answers each message; some words do something else."""

    async def connect(self) -> None:
        logger.info("somebody comes")
        if self.scope["url_route"]["kwargs"].get("room") == "closed":
            await self.close()
        else:
            await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        logger.info("a message came")
        if text_data == "boom":
            raise ValueError("planted")
        if text_data == "bye":
            await self.close(4001)
        elif text_data == "layer":
            await self.dispatch({"type": "parcel.arrived"})
            await self.send("arrived")
        elif text_data == "query":
            await asyncio.to_thread(_span)
            await self.send("queried")
        else:
            await self.send(text_data=text_data, bytes_data=bytes_data)

    async def parcel_arrived(self, message: dict[str, Any]) -> None:
        logger.info("a parcel came")


class SyncEcho(WebsocketConsumer):
    """The same, in threads."""

    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        logger.info("a message came")
        if text_data == "boom":
            raise ValueError("planted")
        _span()
        self.send(text_data=text_data, bytes_data=bytes_data)


def _span() -> None:
    if (runtime := current()) is not None:
        runtime.tracer.start_span("work").end()


APPLICATION = ProtocolTypeRouter(
    {
        "websocket": URLRouter(
            [
                path("ws/", URLRouter([path("rooms/<str:room>/", Echo.as_asgi()), re_path(r"^sync/(?P<token>\w+)/$", SyncEcho.as_asgi())])),
                path("livez", Echo.as_asgi()),
            ]
        )
    }
)


@contextmanager
def served(application: Any = APPLICATION) -> Iterator[str]:
    """The address of uvicorn, which serves this in a thread."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, 30, "uvicorn does not start")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
