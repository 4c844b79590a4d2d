"""The versions of what browsers and apps call."""

from __future__ import annotations

from datetime import UTC, datetime

from otelkit.patterns import api

CLIENTS = ("web", "app", "old-app", "load")


class Versions(api.VersionMiddleware):
    """v1 is what old apps call; it ends."""

    versions = (
        api.Version(
            "v1",
            deprecated=datetime(2026, 9, 1, tzinfo=UTC),
            sunset=datetime(2027, 3, 1, tzinfo=UTC),
            link="https://shop.example/api/v2",
        ),
        api.Version("v2"),
    )
    clients = CLIENTS
