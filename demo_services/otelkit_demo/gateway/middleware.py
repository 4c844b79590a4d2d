"""Who is known to call the gateway, by version of its API."""

from __future__ import annotations

from otelkit_demo.chassis import middleware

CLIENTS = ("web", "app", "old-app", "load")


class Versions(middleware.Versions):
    """Browsers and apps."""

    clients = CLIENTS
