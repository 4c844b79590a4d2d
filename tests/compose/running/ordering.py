"""What a customer asks of the shop in containers, and what Loki has of it."""

from __future__ import annotations

import json
import secrets
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from otelkit.catalog import labels as l
from otelkit.catalog.naming import label_name
from tests.compose.composed_stack import ComposedStack

ARRIVES = 60.0
"""Seconds within which telemetry must be found: two export intervals, the Collector's flush of 15 s, and a slow machine."""

WRITERS = (
    "gateway",
    "orders-1",
    "orders-2",
    "inventory",
    "payments",
    "catalog-1",
    "catalog-2",
    "notifications-consumer",
    "notifications-worker",
    "orders-relay",
)
"""Containers that may write a line of the trace."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was sent and answered."""

    trace_id: str
    status: int
    body: dict[str, Any]

    @property
    def reference(self) -> str:
        """What the shop calls it."""
        return str(self.body["reference"])


def check_out(stack: ComposedStack, sku: str = "tea-assam") -> Order:
    """Order one of it at the gateway, in a trace whose id we chose."""
    trace_id = secrets.token_hex(16)
    request = urllib.request.Request(
        f"{stack.gateway}/api/v2/checkout",
        data=json.dumps({"sku": sku, "quantity": 1}).encode(),
        headers={"content-type": "application/json", "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return Order(trace_id, answer.status, json.load(answer))


def notified(stack: ComposedStack, order: Order) -> list[dict[str, Any]]:
    """What notifications says of the order; empty until the consumer has heard of it."""
    address = f"http://127.0.0.1:{stack.port('NOTIFICATIONS_PORT')}/api/notifications?order={order.reference}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return list(json.load(answer)["notifications"])


def loki_lines(stack: ComposedStack, query: str) -> Counter[tuple[str, str]]:
    """(service, message) of every line of the last hour that the LogQL query finds."""
    now = time.time_ns()
    parameters = {"query": query, "limit": "1000", "start": str(now - 3600 * 10**9), "end": str(now + 60 * 10**9)}
    with urllib.request.urlopen(f"{stack.loki}/loki/api/v1/query_range?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:
        streams = json.load(answer)["data"]["result"]
    return Counter((stream["stream"][label_name(l.SERVICE_NAME)], line) for stream in streams for _time, line in stream["values"])
