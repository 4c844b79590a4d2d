"""The requests that both instrumentations see, and how they are asked. Runs in our process and in upstream's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from django.test import AsyncClient, Client

HOST = "testserver:8000"
TRACE_ID = "0123456789abcdef0123456789abcdef"
"""Of the caller, where a request has one."""
SPAN_ID = "0123456789abcdef"
EXCLUDED_PATH = "/livez"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to the tests' project."""

    name: str
    path: str
    """With its query, where it has one."""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    mount: str = ""
    """SCRIPT_NAME: where the project is mounted, like ``/shop``."""
    is_asynchronous: bool = False
    """Answered by Django's ASGI handler."""
    least_seconds: float = 0.0
    """How long the answer takes at least, its body included."""


EXCHANGES = (
    Exchange("root", "/"),
    Exchange("path parameter", "/items/7"),
    Exchange("nested parameters", "/items/7/parts/bolt/"),
    Exchange("regex route", "/archive/2026/"),
    Exchange("nested regex route", "/api/things/9/"),
    Exchange("post", "/items/7", method="POST"),
    Exchange("head", "/items/7", method="HEAD"),
    Exchange("unknown method", "/items/7", method="WEIRD"),
    Exchange("query with a secret", "/items/7?token=hunter2&colour=red"),
    Exchange("token in the path", "/reset/hunter2/"),
    Exchange("path beyond ASCII", "/b%C3%BCcher"),
    Exchange("language", "/de/pages/3"),
    Exchange("mounted", "/items/7", mount="/shop"),
    Exchange("404 raised", "/missing"),
    Exchange("404 unmatched", "/nowhere"),
    Exchange("403", "/forbidden"),
    Exchange("400", "/suspicious"),
    Exchange("500 raised", "/boom"),
    Exchange("503 returned", "/fails"),
    Exchange("system exit", "/exits"),
    Exchange("disallowed host", "/items/7", headers={"host": "evil.example"}),
    Exchange("excluded path", EXCLUDED_PATH),
    Exchange("caller sampled", "/items/7", headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}),
    Exchange("caller not sampled", "/items/7", headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00"}),
    Exchange("caller broken", "/items/7", headers={"traceparent": "00-nonsense"}),
    Exchange("streamed", "/stream", least_seconds=0.3),
    Exchange("async view under WSGI", "/async/items/7"),
    Exchange("async project", "/async/items/7", is_asynchronous=True),
    Exchange("async project, 500 raised", "/async/boom", is_asynchronous=True),
)


def ask(exchange: Exchange) -> None:
    """Asks, and reads the answer to its end. What the view raises through Django goes no further."""
    headers = {"user-agent": "conformance/1.0", **exchange.headers}
    try:
        if exchange.is_asynchronous:
            asyncio.run(_ask_async(exchange, headers))
        else:
            # RAW_URI and REMOTE_PORT are what gunicorn adds to the variables of WSGI.
            uri: dict[str, Any] = {
                "RAW_URI": exchange.mount + exchange.path,
                "REMOTE_PORT": "41000",
                "SERVER_PORT": "8000",
                "SCRIPT_NAME": exchange.mount,
            }
            headers.setdefault("host", HOST)
            response = Client(raise_request_exception=False).generic(exchange.method, exchange.path, headers=headers, **uri)
            response.getvalue()
    except SystemExit:
        pass


async def _ask_async(exchange: Exchange, headers: dict[str, str]) -> None:
    await AsyncClient(raise_request_exception=False).generic(exchange.method, exchange.path, headers=headers)
