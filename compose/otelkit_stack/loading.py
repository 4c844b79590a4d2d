"""Rows of the database as records."""

from __future__ import annotations

import json
import sqlite3

from otelkit_stack.records import AlertChange, Event, Exemplar, Link, LogRecord, Scope, Span
from otelkit_stack.rows import loaded_float

# By OTLP's numbers; a number that a newer protocol may bring is shown as the first.
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")


def span_from(row: sqlite3.Row) -> Span:
    """A span, from its row joined with resource and scope."""
    return Span(
        trace_id=row["trace_id"].hex(),
        span_id=row["span_id"].hex(),
        parent_span_id=_hex(row["parent_span_id"]),
        service=row["service"],
        name=row["name"],
        kind=_word(KINDS, row["kind"]),
        start_ns=row["start_ns"],
        end_ns=row["start_ns"] + row["duration_ns"],
        duration_s=row["duration_ns"] / 1e9,
        status=_word(STATUSES, row["status"]),
        status_message=row["status_message"],
        attributes=json.loads(row["attributes"]),
        resource=json.loads(row["resource"]),
        scope=Scope(row["scope_name"], row["scope_version"]),
        events=[Event(*event) for event in json.loads(row["events"])],
        links=[Link(*link) for link in json.loads(row["links"])],
    )


def log_from(row: sqlite3.Row) -> LogRecord:
    """A log record, from its row joined with the resource."""
    return LogRecord(
        time_ns=row["time_ns"],
        severity=row["severity"],
        severity_number=row["severity_number"],
        body=row["body"],
        event_name=row["event_name"],
        trace_id=_hex(row["trace_id"]),
        span_id=_hex(row["span_id"]),
        service=row["service"],
        attributes=json.loads(row["attributes"]),
        resource=json.loads(row["resource"]),
    )


def exemplar_from(row: sqlite3.Row) -> Exemplar:
    """An exemplar, from its row joined with the series."""
    return Exemplar(
        metric=row["series_name"],
        labels=json.loads(row["series_labels"]),
        value=loaded_float(row["value"]),
        time_ns=row["time_ns"],
        trace_id=_hex(row["trace_id"]),
        span_id=_hex(row["span_id"]),
    )


def alert_change_from(row: sqlite3.Row) -> AlertChange:
    """A step of an alert, from its row."""
    return AlertChange(
        time_ns=row["time_ms"] * 1_000_000,
        rule=row["rule"],
        labels=json.loads(row["labels"]),
        before=row["state_before"],
        after=row["state_after"],
        value=loaded_float(row["value"]),
    )


def _hex(id_: bytes | None) -> str | None:
    return id_.hex() if id_ else None


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else words[0]
