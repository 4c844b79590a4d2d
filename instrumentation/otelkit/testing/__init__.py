"""For tests, yours and ours: run the kit without a network and read back what it would have sent.

    def test_an_order_is_traced(client, telemetry):
        client.get("/orders/1")
        telemetry.assert_span("GET /orders/{pk}", {"http.response.status_code": 200})

The fixture ``telemetry`` is there wherever pytest and otelkit are installed; elsewhere ``with capture() as telemetry`` gives the same.
What comes back was encoded as OTLP and decoded again, so it is what a receiver gets. See TESTING.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otelkit.testing.capturing import capture, query_budget
    from otelkit.testing.memory import MemorySender
    from otelkit.testing.received import Received
    from otelkit.testing.telemetry import Telemetry

__all__ = ["MemorySender", "Received", "Telemetry", "capture", "query_budget"]

_HOMES = {
    "capture": "otelkit.testing.capturing",
    "query_budget": "otelkit.testing.capturing",
    "MemorySender": "otelkit.testing.memory",
    "Received": "otelkit.testing.received",
    "Telemetry": "otelkit.testing.telemetry",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: pytest imports this package at its start, for the plugin, before a project has chosen its settings.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
