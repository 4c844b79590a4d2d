"""Requests below Django's test client, as a server hands them over: any bytes, through the WSGI and the ASGI handler."""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections


@dataclass(frozen=True)
class Asked:
    """A request as bytes; the path without its query, decoded as a server does."""

    method: str = "GET"
    path: bytes = b"/"
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Answered:
    """All that a client can see, and what the server sees instead of an answer."""

    status: str = ""
    headers: tuple[tuple[Any, Any], ...] = ()
    body: bytes = b""
    raised: str = ""


def ask_wsgi(requests: list[Asked]) -> list[Answered]:
    """The answers of a new WSGI handler, one after the other."""
    handler = WSGIHandler()
    return [_answer_wsgi(handler, asked) for asked in requests]


def ask_asgi(requests: list[Asked]) -> list[Answered]:
    """The answers of a new ASGI handler, in one event loop."""

    async def run() -> list[Answered]:
        handler = ASGIHandler()
        try:
            return [await _answer_asgi(handler, asked) for asked in requests]
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(run())


def _answer_wsgi(handler: WSGIHandler, asked: Asked) -> Answered:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": asked.path.decode("latin-1"),
        "QUERY_STRING": asked.query.decode("latin-1"),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(asked.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(asked.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in asked.headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.decode("latin-1")
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        said.update(status=status, headers=tuple(headers))

    body = b""
    try:
        response = handler(environ, start_response)
        try:
            for piece in response:
                body += piece
        finally:
            response.close()
    except BaseException as error:  # noqa: BLE001  (a server sees it, and so must we)
        return Answered(**said, body=body, raised=repr(error))
    return Answered(**said, body=body)


async def _answer_asgi(handler: ASGIHandler, asked: Asked) -> Answered:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path.decode("utf-8", "replace"),
        "raw_path": asked.path,
        "root_path": "",
        "query_string": asked.query,
        "headers": [(b"host", b"testserver"), *((name.lower(), value) for name, value in asked.headers)],
        "client": ["127.0.0.1", 41000],
        "server": ["testserver", 80],
    }
    sent: list[dict[str, Any]] = []
    was_asked = False

    async def receive() -> dict[str, Any]:
        nonlocal was_asked
        if was_asked:
            await asyncio.sleep(3600)  # the client stays; Django cancels this when it has answered
        was_asked = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raised = ""
    try:
        await handler(scope, receive, send)  # type: ignore[arg-type]
    except BaseException as error:  # noqa: BLE001  (as above)
        raised = repr(error)
    start = next((message for message in sent if message["type"] == "http.response.start"), {})
    return Answered(
        str(start.get("status", "")),
        tuple((bytes(name), bytes(value)) for name, value in start.get("headers", ())),
        b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body"),
        raised,
    )
