"""Who may see ``/metrics``. To everybody else it does not exist."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address


def is_admitted(token: str, authorization: str, peer: str, *, is_forwarded: bool) -> bool:
    """Whether a scraper is known: by the token, where one is set, or else because it asks from this machine, through no proxy."""
    if token:
        scheme, _, given = authorization.partition(" ")
        # Bytes, because compare_digest refuses text beyond ASCII. In constant time: how long a no takes must not spell the token.
        matches = compare_digest(given.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace"))
        return matches and scheme.lower() == "bearer"
    return not is_forwarded and _is_loopback(peer)


def _is_loopback(peer: str) -> bool:
    if not peer:
        return True  # a Unix socket has no address: its file's permissions decided already
    try:
        return ip_address(peer.partition("%")[0]).is_loopback
    except ValueError:
        return False
