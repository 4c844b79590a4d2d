"""What a stack holds before it is asked: spans and log lines over a day, samples over an hour."""

from __future__ import annotations

import random
from collections.abc import Iterator

from otelkit_stack.receiver.known_series import series_row
from otelkit_stack.rows import Batch, LogRow, ResourceRow, ScopeRow, content_id, json_text

HOUR_MS = 3_600_000
INTERVAL_MS = 15_000
DAY_NS = 24 * HOUR_MS * 1_000_000
NEEDLE = "shard-4711-unreachable"
"""Stands in four lines, however many there are."""

_SERVICES = ("gateway", "orders", "catalog", "inventory", "payments")
_TOGETHER = 5_000


def lines(count: int, end_ns: int) -> Iterator[Batch]:
    """Log lines, evenly over the day before the end, some thousand in a batch."""
    chance = random.Random(2)
    resources = [ResourceRow(content_id(name), name, json_text({"service.name": name})) for name in _SERVICES]
    scope = ScopeRow(content_id("otelkit"), "otelkit", "0.1", "{}")
    needles = {count * eighth // 8 for eighth in (1, 3, 5, 7)}
    for first in range(0, count, _TOGETHER):
        batch = Batch({row.id: row for row in resources}, {scope.id: scope})
        for number in range(first, min(first + _TOGETHER, count)):
            resource = resources[number % len(resources)]
            time_ns = end_ns - DAY_NS + (number + 1) * DAY_NS // count
            said = (
                f"GET /orders/{chance.randrange(100_000)} answered 200 in {chance.randrange(900)} ms for customer {chance.randrange(9_999)}"
            )
            attributes = {"http.route": "/orders/{pk}", "http.response.status_code": 200, "logger": "shop.orders", "thread": "worker-1"}
            batch.logs.append(
                LogRow(
                    time_ns=time_ns,
                    severity_number=9,
                    severity="INFO",
                    body=f"{said} {NEEDLE}" if number in needles else said,
                    event_name="",
                    trace_id=chance.randbytes(16),
                    span_id=chance.randbytes(8),
                    resource_id=resource.id,
                    scope_id=scope.id,
                    service=resource.service,
                    attributes=json_text(attributes),
                    severity_sent="INFO",
                    observed_ns=time_ns,
                    flags=1,
                )
            )
        yield batch


def samples(series: int, end_ms: int) -> Iterator[Batch]:
    """Counters of ten services, each sampled every 15 s at a moment of its own, over a little more than the hour before the end."""
    chance = random.Random(3)
    rows = [
        series_row(
            "bench_requests_total",
            {"service_name": f"service-{number % 10}", "http_route": f"/route/{number // 10 % 20}", "instance": f"host:{number // 200}"},
        )
        for number in range(series)
    ]
    moments = [chance.randrange(INTERVAL_MS) for _ in rows]
    values = [0.0 for _ in rows]
    for start_ms in range(end_ms - HOUR_MS - 20 * INTERVAL_MS, end_ms, INTERVAL_MS):
        batch = Batch(series={row.id: row for row in rows})
        for place, row in enumerate(rows):
            values[place] += chance.randrange(9)
            batch.samples.add(row.id, start_ms + moments[place], values[place])
        yield batch
