"""How spans of HTTP are named, inbound and outbound alike."""

from __future__ import annotations

from otelkit.catalog.labels import OTHER_METHOD


def span_name(method: str, route: str | None = None) -> str:
    """``GET /orders/{pk}``, or ``GET`` where no route is known; an unknown method is called ``HTTP``.

    Source: OpenTelemetry semantic conventions, HTTP spans, "Name".
    """
    method = "HTTP" if method == OTHER_METHOD else method
    return f"{method} {route}" if route else method
