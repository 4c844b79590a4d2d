"""Who answered and who asked, by Django's own rules for proxies: a forwarded header counts only where a setting says so."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest

from otelkit.config import Requests

_MOST_HOSTS = 256
_PREFIX = {4: 24, 6: 48}
"""Bits that are kept of a truncated address: the network of a provider's customer, not the customer."""


class ServerAddresses:
    """Address and port that clients used, by Django's own checks; remembered for the hosts that passed them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, Any, Any], tuple[str, int | None]] = {}

    def of(self, request: HttpRequest) -> tuple[str, int | None]:
        """Follows USE_X_FORWARDED_HOST and _PORT; gives the socket's own where the Host header is not allowed."""
        meta = request.META
        key = (meta.get("HTTP_HOST"), meta.get("HTTP_X_FORWARDED_HOST"), meta.get("HTTP_X_FORWARDED_PORT"))
        known = self._known.get(key)
        if known is None:
            known = _server_address(request)
            # What is refused or missing is not remembered, and strangers cannot make this grow.
            if known is not None and key[0] and len(self._known) < _MOST_HOSTS:
                self._known[key] = known
        return known or _split(f"{meta.get('SERVER_NAME', '')}:{meta.get('SERVER_PORT', '')}")


def _server_address(request: HttpRequest) -> tuple[str, int | None] | None:
    try:
        address, port = _split(request.get_host())
    except (DisallowedHost, ImproperlyConfigured):  # the second for a SECURE_PROXY_SSL_HEADER that is none
        return None
    if "HTTP_X_FORWARDED_PORT" in request.META and settings.USE_X_FORWARDED_PORT:
        forwarded = str(request.get_port())
        port = int(forwarded) if len(forwarded) <= 5 and forwarded.isascii() and forwarded.isdigit() else port
    return address, port


@lru_cache(maxsize=256)
def _split(host: str) -> tuple[str, int | None]:
    address, port = host, ""
    if ":" in host and not host.endswith("]"):
        address, _, port = host.rpartition(":")
    return address.strip("[]"), int(port) if port.isdigit() else None


def client_address_reader(config: Requests) -> Callable[[Mapping[str, Any]], str | None] | None:
    """What reads the client's address from ``request.META`` in the form the settings allow; None where they allow none."""
    if config.client_address == "off":
        return None
    shapes: dict[str, Callable[[str], str]] = {
        "full": str,
        "truncated": truncated,
        "hashed": lambda address: pseudonym("client.address", address),
    }
    write, proxies = shapes[config.client_address], config.proxies

    def read(meta: Mapping[str, Any]) -> str | None:
        address = str(meta.get("REMOTE_ADDR") or "")
        if proxies:
            # Each proxy appends whom it saw, so only the last entries were written by ours.
            chain = [part.strip() for part in str(meta.get("HTTP_X_FORWARDED_FOR", ""))[-1024:].split(",") if part.strip()]
            address = chain[-proxies] if len(chain) >= proxies else address
        known = _canonical(address)
        return write(known) if known else None

    return read


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    """The address in its one spelling; empty for what is none, so that no header's text gets any further."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


@lru_cache(maxsize=4096)
def truncated(address: str) -> str:
    """The address's network: ``203.0.113.0``, ``2001:db8:1::``."""
    version = 4 if isinstance(ip_address(address), IPv4Address) else 6
    return str(ip_network(f"{address}/{_PREFIX[version]}", strict=False).network_address)


@lru_cache(maxsize=4096)
def pseudonym(kind: str, value: str) -> str:
    """Sixteen hex digits that stand for a person, the same every time, and cannot be traced back without the project's SECRET_KEY.

    A plain hash would not do: there are few addresses and few user ids, so one could try them all.
    """
    key = str(settings.SECRET_KEY).encode()
    return hmac.new(key, f"otelkit {kind} {value}".encode(), hashlib.sha256).hexdigest()[:16]
