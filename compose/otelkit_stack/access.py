"""Who may ask the stack: this machine alone, unless it is told to listen elsewhere; then whoever knows its token."""

from __future__ import annotations

import base64
import binascii
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from ipaddress import ip_address
from typing import NamedTuple, Self

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from otelkit_stack import TOKEN_VARIABLE
from otelkit_stack.errors import StackError

LOOPBACK = "127.0.0.1"
"""The address the stack listens on unless it is told another."""
FEWEST_CHARACTERS = 16
"""Of a token: less can be guessed."""
OPEN_PATH = "/-/healthy"
"""Says one sentence and nothing else, to whoever asks: for the probes of an orchestrator, which have no token."""

_LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
_READING = ("GET", "HEAD", "OPTIONS")
_CHALLENGES = {"WWW-Authenticate": 'Basic realm="otelkit stack: the token is the password", Bearer realm="otelkit stack"'}
_REFUSED_WEBSOCKET = 1008
"""Policy violation (RFC 6455)."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the stack listens, the names it goes by, and the token; an empty one lets everybody in who reaches it."""

    listen: str = LOOPBACK
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    is_made_up: bool = False
    """Whether nobody chose the token, so that somebody has to be told."""

    @classmethod
    def of(cls, listen: str = LOOPBACK, names: Sequence[str] = (), token: str = "") -> Self:
        """With a token of its own where other machines may ask and none is given. Raises StackError for what cannot be meant."""
        if token and not _can_be_a_token(token):
            raise StackError(
                f"The token in {TOKEN_VARIABLE} must be {FEWEST_CHARACTERS} or more letters, digits and signs without a space."
                " Leave it out, and the stack makes one."
            )
        is_made_up = not token and (bool(names) or not is_loopback_address(listen))
        return cls(listen, tuple(name.lower() for name in names), secrets.token_urlsafe(24) if is_made_up else token, is_made_up)

    def knows(self, host: str) -> bool:
        """Whether a Host, or what follows an Origin's scheme, names this stack.

        A site of an attacker may have its name resolve to this machine, for a browser here to fetch from (DNS rebinding). It still sends
        that name; a number it cannot be called by.
        """
        name = _without_port(host)
        if name is None:
            return False
        if name in _LOOPBACK_NAMES or name in self.names:
            return True
        return not is_loopback_address(self.listen) and (_is_number(name) or name == socket.gethostname().lower())

    def admits(self, authorization: str) -> bool:
        """Whether the header has the token, as a bearer's or as the password of any user. In constant time: a no does not spell it."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            given = _password(given)
        elif scheme.lower() != "bearer":
            given = ""
        return not self.token or compare_digest(given.strip().encode("utf-8", "replace"), self.token.encode())


class _Refusal(NamedTuple):
    status: HTTPStatus
    reason: str


class Guard:
    """Middleware that answers 421 to requests for another host, 403 to other sites' that would change something, 401 without the token."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED_WEBSOCKET, "reason": refusal.reason[:120]})
        else:
            headers = _CHALLENGES if refusal.status is HTTPStatus.UNAUTHORIZED else None
            await PlainTextResponse(refusal.reason, refusal.status, headers)(scope, receive, send)

    def _refusal(self, scope: Scope) -> _Refusal | None:
        headers, access = Headers(scope=scope), self._access
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not access.knows(hosts[0]):
            return _Refusal(HTTPStatus.MISDIRECTED_REQUEST, _of_another_host(access, hosts))
        # A browser opens a websocket, and posts a form, for any site; what a page reads of another site's answers it decides itself.
        is_changing = scope["type"] == "websocket" or scope["method"] not in _READING
        if is_changing and not all(access.knows(origin.partition("://")[2]) for origin in headers.getlist("origin")):
            site = headers["origin"][:100]
            return _Refusal(HTTPStatus.FORBIDDEN, f"Pages of {site} may not ask this stack. Have a server ask it.\n")
        if access.token and scope["path"] != OPEN_PATH and not access.admits(headers.get("authorization", "")):
            return _Refusal(HTTPStatus.UNAUTHORIZED, _WITHOUT_TOKEN)
        return None


_WITHOUT_TOKEN = (
    'This stack asks for its token: send "Authorization: Bearer TOKEN", or the token as the password of any user.'
    ' Exporters do with OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20TOKEN".'
    f" The stack printed it when it started, unless {TOKEN_VARIABLE} says it.\n"
)


def _of_another_host(access: Access, hosts: Sequence[str]) -> str:
    asked = f'"{hosts[0][:100]}"' if len(hosts) == 1 else "no Host" if not hosts else "several Hosts"
    way = "Open it as " + ("http://127.0.0.1 or http://localhost" if is_loopback_address(access.listen) else "its IP address")
    return f"This stack does not answer for {asked}. {way}, or start it with --name NAME to have it answer to a name.\n"


def is_loopback_address(address: str) -> bool:
    """Whether only this machine reaches what listens there. Raises StackError for a text that is no IP address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        said = f"{address!r} is no IP address to listen on. Give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them."
        raise StackError(said) from None


def _without_port(host: str) -> str | None:
    """The name in a Host, in lower case and without an IPv6 address' brackets; None for a text that is no Host."""
    name, separator, port = host.rpartition(":")
    if not separator or host.endswith("]"):
        name, port = host, "0"
    if not (port.isascii() and port.isdigit()):
        return None
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1].lower()
    return None if ":" in name else name.lower()


def _is_number(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _password(given: str) -> str:
    try:
        return base64.b64decode(given.strip(), validate=True).decode("utf-8", "replace").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _can_be_a_token(token: str) -> bool:
    return len(token) >= FEWEST_CHARACTERS and token.isascii() and token.isprintable() and " " not in token
