"""Log records of an OTLP request as rows."""

from __future__ import annotations

import time

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otelkit_stack.receiver.as_sent import converted, sent
from otelkit_stack.receiver.attributes import KnownAttributes, attribute_value, attributes_of, resource_row, scope_row
from otelkit_stack.receiver.refusals import MAX_NS, Refusals
from otelkit_stack.rows import Batch, LogRow, ResourceRow, ScopeRow, json_text

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def read_logs(request: ExportLogsServiceRequest, known: KnownAttributes | None = None) -> tuple[Batch, Refusals]:
    """Rows of the records that can be stored, and why others cannot: times past 2262.

    ``known`` are the attributes of earlier requests; it learns those of this one. Raises RefusedError (400) for a broken attribute.
    """
    batch, refusals = Batch(), Refusals()
    known = KnownAttributes() if known is None else known
    for of_resource in converted(request).resource_logs:
        resource = resource_row(attributes_of(sent(of_resource.resource.attributes)))
        batch.resources[resource.id] = resource
        for of_scope in of_resource.scope_logs:
            scope = scope_row(of_scope.scope)
            batch.scopes[scope.id] = scope
            for record in of_scope.log_records:
                if _time_ns(record) > MAX_NS:
                    refusals.add("a log record's time must lie before the year 2262")
                else:
                    batch.logs.append(_row(record, resource, scope, known))
    return batch, refusals


def severity_name(number: int) -> str:
    """The short name of a SeverityNumber: ``INFO`` for 9 to 12, ``UNSPECIFIED`` outside 1 to 24 (logs data model)."""
    return _SEVERITIES[(number - 1) // 4] if 1 <= number <= 24 else "UNSPECIFIED"


def _time_ns(record: LogRecord) -> int:
    return record.time_unix_nano or record.observed_time_unix_nano or time.time_ns()


def _row(record: LogRecord, resource: ResourceRow, scope: ScopeRow, known: KnownAttributes) -> LogRow:
    body = attribute_value(record.body)
    return LogRow(
        time_ns=_time_ns(record),
        severity_number=record.severity_number,
        severity=record.severity_text or severity_name(record.severity_number),
        body=body if isinstance(body, str) else "" if body is None else json_text(body),
        event_name=record.event_name,
        # The protocol has receivers ignore ids that are none: the line itself is good.
        trace_id=record.trace_id if len(record.trace_id) == 16 and any(record.trace_id) else None,
        span_id=record.span_id if len(record.span_id) == 8 and any(record.span_id) else None,
        resource_id=resource.id,
        scope_id=scope.id,
        service=resource.service,
        attributes=known.text(sent(record.attributes)),
        severity_sent=record.severity_text,
        observed_ns=min(record.observed_time_unix_nano, MAX_NS),
        flags=record.flags,
    )
