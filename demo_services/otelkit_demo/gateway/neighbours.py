"""The services behind the gateway, as this process calls them."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from django.conf import settings

from otelkit_demo.chassis.neighbours import Neighbour
from otelkit_demo.chassis.tokens import TokenSource
from otelkit_demo.gateway import issuing, keys


class OwnTokens(TokenSource):
    """The gateway asks nobody for tokens: it signs its own."""

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def _fetch(self) -> tuple[str, float]:
        scope = " ".join(sorted(issuing.GRANTS["gateway"][self._audience]))
        return issuing.mint("gateway", self._audience, scope), keys.TOKEN_SECONDS


@cache
def neighbour(name: str) -> Neighbour:
    """One of the services by its name, made when it is first called: after the fork."""
    configured: Any = settings
    tokens = OwnTokens(name) if name in issuing.GRANTS["gateway"] else None
    # Above what orders allows inventory and payments together: the one in front waits longest.
    seconds = 6.0 if name == "orders" else 2.0
    return Neighbour(name, configured.NEIGHBOURS[name], caller="gateway", tokens=tokens, seconds=seconds)
