"""The services behind the gateway, as this process calls them."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.conf import settings

from otelkit_demo.chassis.neighbours import Neighbour
from otelkit_demo.chassis.tokens import TokenSource
from otelkit_demo.gateway import issuing, keys


def _own_token(audience: str) -> tuple[str, float]:
    """The gateway asks nobody for tokens: it signs its own."""
    return issuing.mint("gateway", audience, " ".join(sorted(issuing.GRANTS["gateway"][audience]))), keys.TOKEN_SECONDS


@cache
def neighbour(name: str) -> Neighbour:
    """One of the services by its name, made when it is first called: after the fork."""
    configured: Any = settings
    tokens = TokenSource(partial(_own_token, name)) if name in issuing.GRANTS["gateway"] else None
    # Above what orders allows inventory and payments together: the one in front waits longest.
    seconds = 6.0 if name == "orders" else 2.0
    return Neighbour(name, configured.NEIGHBOURS[name], caller="gateway", tokens=tokens, seconds=seconds)
