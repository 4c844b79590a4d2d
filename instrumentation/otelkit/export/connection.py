"""Connections that keep an appointment: one deadline for connecting, sending and the whole answer.

urllib3's timeouts, like those of every socket, are for one read. A receiver that answers a byte a second never exceeds them, and would hold
the export thread for as long as it likes.
"""

from __future__ import annotations

import io
import ipaddress
from http.client import HTTPResponse
from socket import SocketIO, socket
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # missing in typeshed

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from otelkit.config import Receiver


class Deadline:
    """The moment at which the current exchange is given up."""

    def __init__(self) -> None:
        self._at = 0.0

    def set(self, seconds: float) -> None:
        """So many seconds from now."""
        self._at = monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self._at - monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        return left


class _Reader(io.RawIOBase):
    """Reads a socket, and waits for no longer than the deadline allows."""

    def __init__(self, raw: SocketIO, sock: socket, deadline: Deadline) -> None:
        self._raw = raw
        self._socket = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def pool_manager(receiver: Receiver, deadline: Deadline) -> urllib3.PoolManager:
    """Connections to one receiver, by way of the proxy that the environment names for it.

    An answer that lasts beyond ``deadline`` raises urllib3's ReadTimeoutError.
    """
    options: dict[str, Any] = {"num_pools": 1, "maxsize": 1}
    if receiver.certificate:
        options["ca_certs"] = receiver.certificate
    if receiver.client_certificate:
        options |= {"cert_file": receiver.client_certificate, "key_file": receiver.client_key}
    proxy = proxy_for(receiver.address)
    manager: urllib3.PoolManager
    if proxy:
        credentials = urlsplit(proxy)
        headers = (
            urllib3.make_headers(proxy_basic_auth=f"{credentials.username}:{credentials.password or ''}") if credentials.username else None
        )
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
    else:
        manager = urllib3.PoolManager(**options)
    manager.pool_classes_by_scheme = _pools(deadline)
    return manager


def _pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose answers are read until the deadline. Classes, because that is how urllib3 takes them all the way down."""

    class Answer(HTTPResponse):
        def __init__(self, sock: socket, *arguments: Any, **named: Any) -> None:
            super().__init__(sock, *arguments, **named)
            raw = cast(SocketIO, self.fp.detach())  # nothing has been read yet
            self.fp = io.BufferedReader(_Reader(raw, sock, deadline))

    class Plain(HTTPConnection):
        response_class = Answer

    class Tls(HTTPSConnection):
        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


def proxy_for(url: str) -> str | None:
    """The proxy of HTTP_PROXY or HTTPS_PROXY, unless NO_PROXY names the host. A receiver on this machine is never reached by a proxy."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass_environment(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies_environment()
    return proxies.get(parts.scheme) or proxies.get("all")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
