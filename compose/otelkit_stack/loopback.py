"""The page and the APIs answer to this machine alone: a guard against sites that rename themselves, or open sockets, to reach it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOST = "127.0.0.1"
"""The address the stack listens on; there is no setting for another."""

_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


class LoopbackOnly:
    """Middleware that answers 403 to requests whose Host is not a name of the loopback address.

    A browser sends the name of the site that the request is for. A site of an attacker whose name is made to resolve to
    127.0.0.1 (DNS rebinding) would otherwise read every trace. A websocket, which a browser opens for any site, must have no other origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        headers = Headers(scope=scope) if scope["type"] in ("http", "websocket") else None
        if headers is not None and scope["type"] == "websocket" and not _is_from_here(headers):
            await send({"type": "websocket.close", "code": 1008, "reason": "This stack serves its own machine only."})
            return
        if headers is not None and not is_loopback(headers.getlist("host")):
            refusal = PlainTextResponse("This stack serves its own machine only: open it as http://127.0.0.1 or http://localhost.", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_from_here(headers: Headers) -> bool:
    origins = [origin.partition("://")[2] for origin in headers.getlist("origin")]
    return is_loopback(headers.getlist("host")) and (not origins or is_loopback(origins))


def is_loopback(hosts: list[str]) -> bool:
    """Whether there is exactly one Host, and it is a name of the loopback address, with or without a port."""
    if len(hosts) != 1:
        return False
    name, separator, port = hosts[0].rpartition(":")
    if not separator or hosts[0].endswith("]"):
        name, port = hosts[0], "0"
    return name.lower() in _NAMES and port.isascii() and port.isdigit()
