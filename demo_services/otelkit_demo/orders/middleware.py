"""Who is known to call orders, by version of its API."""

from __future__ import annotations

from otelkit_demo.chassis import middleware


class Versions(middleware.Versions):
    """The gateway, and whoever looks after the shop by hand."""

    clients = ("gateway", "operator")
