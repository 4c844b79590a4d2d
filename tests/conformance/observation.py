"""What an instrumentation said about one request, as facts that can be compared: a flat dictionary of plain values.

``server spans`` and ``durations`` count; where there is one of them, ``span.*`` and ``duration.*`` describe it.
"""

from __future__ import annotations

from typing import Any

from otelkit.catalog.metrics import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION
from tests.conformance.exchanges import SPAN_ID, TRACE_ID, Exchange

DURATION = HTTP_SERVER_REQUEST_DURATION.name
ACTIVE = HTTP_SERVER_ACTIVE_REQUESTS.name
Facts = dict[str, Any]


def facts(exchange: Exchange, spans: list[dict[str, Any]], durations: list[dict[str, Any]], active: float) -> Facts:
    """Facts from spans and duration points in the shape of :mod:`otelkit.testing`; a point also has ``bounds``.

    ``active`` is the sum of the active requests afterwards.
    """
    servers = [span for span in spans if span["kind"] == "SERVER"]
    found: Facts = {"server spans": len(servers), "durations": sum(point["count"] for point in durations), "still active": active}
    if len(servers) == 1:
        found |= _of_span(exchange, servers[0])
    for span in spans:
        if span["kind"] != "SERVER":
            found[f"child {span['name']}"] = bool(servers) and span["parent_span_id"] == servers[0]["span_id"]
    if len(durations) == 1:
        (point,) = durations
        found["duration.bounds"] = list(point["bounds"])
        found["duration.covers the body"] = point["sum"] >= exchange.least_seconds
        found |= {f"duration.{key}": value for key, value in point["attributes"].items()}
    return found


def _of_span(exchange: Exchange, span: dict[str, Any]) -> Facts:
    return {
        "span.name": span["name"],
        "span.status": span["status"],
        "span.status message": span["status_message"],
        "span.events": [event["name"] for event in span["events"]],
        "span.joins the caller": (span["trace_id"], span["parent_span_id"]) == (TRACE_ID, SPAN_ID),
        "span.is a root": span["parent_span_id"] is None,
        "span.covers the body": span["duration_s"] >= exchange.least_seconds,
        **{f"span.{key}": value for key, value in span["attributes"].items()},
    }
