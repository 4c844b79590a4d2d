"""HTTP clients for neighbours. What they share is made once per process: reading the machine's certificates takes a tenth of a second."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


def client(address: str) -> httpx.Client:
    """A client for one service; threads may share it. Proxies of the machine are not for neighbours."""
    return httpx.Client(base_url=address, trust_env=False, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
