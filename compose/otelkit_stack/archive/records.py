"""Spans and log records of the store as requests of OTLP."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

from otelkit_stack.archive.values import by_origin
from otelkit_stack.otlp_json import Json, key_values

_PER_REQUEST = 1000

_ORIGIN = """
resource.attributes AS resource, scope.name AS scope_name, scope.version AS scope_version, scope.attributes AS scope_attributes
"""
_SPANS = f"""
SELECT span.*, {_ORIGIN} FROM span JOIN resource ON resource.id = span.resource_id JOIN scope ON scope.id = span.scope_id
WHERE start_ns >= :since AND (:trace IS NULL OR trace_id = :trace) ORDER BY start_ns
"""  # noqa: S608  (no text from outside)
_LOGS = f"""
SELECT log.*, {_ORIGIN} FROM log JOIN resource ON resource.id = log.resource_id JOIN scope ON scope.id = log.scope_id
WHERE time_ns >= :since AND (:trace IS NULL OR trace_id = :trace) ORDER BY time_ns
"""  # noqa: S608  (no text from outside)


def span_requests(connection: sqlite3.Connection, since_ns: int, trace_id: bytes | None) -> Iterator[tuple[int, Json]]:
    """Requests of the spans that started since, of one trace or of all, each with the number of spans in it."""
    yield from _requests(connection, _SPANS, since_ns, trace_id, _span, "resourceSpans", "scopeSpans", "spans")


def log_requests(connection: sqlite3.Connection, since_ns: int, trace_id: bytes | None) -> Iterator[tuple[int, Json]]:
    """The same of log records."""
    yield from _requests(connection, _LOGS, since_ns, trace_id, _record, "resourceLogs", "scopeLogs", "logRecords")


def _requests(
    connection: sqlite3.Connection,
    sql: str,
    since_ns: int,
    trace_id: bytes | None,
    as_json: Callable[[sqlite3.Row], Json],
    resources: str,
    scopes: str,
    items: str,
) -> Iterator[tuple[int, Json]]:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    rows = cursor.execute(sql, {"since": since_ns, "trace": trace_id})
    while found := rows.fetchmany(_PER_REQUEST):
        records = ((row["resource"], (row["scope_name"], row["scope_version"], row["scope_attributes"]), as_json(row)) for row in found)
        yield len(found), by_origin(records, resources=resources, scopes=scopes, items=items, loads=json.loads)


def _span(row: sqlite3.Row) -> Json:
    return {
        "traceId": row["trace_id"].hex(),
        "spanId": row["span_id"].hex(),
        **({"parentSpanId": row["parent_span_id"].hex()} if row["parent_span_id"] else {}),
        "name": row["name"],
        "kind": row["kind"],
        "startTimeUnixNano": str(row["start_ns"]),
        "endTimeUnixNano": str(row["start_ns"] + row["duration_ns"]),
        "attributes": key_values(json.loads(row["attributes"])),
        "events": [
            {"timeUnixNano": str(time_ns), "name": name, "attributes": key_values(attributes)}
            for time_ns, name, attributes in json.loads(row["events"])
        ],
        "links": [
            {"traceId": trace_id, "spanId": span_id, "attributes": key_values(attributes)}
            for trace_id, span_id, attributes in json.loads(row["links"])
        ],
        "status": {"code": row["status"], "message": row["status_message"]},
    }


def _record(row: sqlite3.Row) -> Json:
    return {
        "timeUnixNano": str(row["time_ns"]),
        "observedTimeUnixNano": str(row["observed_ns"]),
        "severityNumber": row["severity_number"],
        "severityText": row["severity_sent"],
        "body": {"stringValue": row["body"]},
        "eventName": row["event_name"],
        "attributes": key_values(json.loads(row["attributes"])),
        "flags": row["flags"],
        **({"traceId": row["trace_id"].hex()} if row["trace_id"] else {}),
        **({"spanId": row["span_id"].hex()} if row["span_id"] else {}),
    }
