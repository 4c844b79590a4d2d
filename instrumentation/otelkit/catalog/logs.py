"""Keys of a log line: the names that JSON lines, OTLP log attributes and LogQL filters share."""

from __future__ import annotations

TIMESTAMP = "timestamp"
LEVEL = "level"
MESSAGE = "message"
LOGGER = "logger"
TRACE_ID = "trace_id"
SPAN_ID = "span_id"
TRACE_SAMPLED = "trace_sampled"
EVENT_NAME = "event.name"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"
ERROR_FINGERPRINT = "error.fingerprint"
CODE_STACKTRACE = "code.stacktrace"
"""Where a line without an exception was written, if its author asked for that (``stack_info=True``)."""
EXTRA_PREFIX = "extra."
"""Stands before a key of the caller's that is one of ours: ``extra.trace_id``."""

RESOURCE_KEYS = ("service.name", "service.namespace", "service.version", "deployment.environment.name", "service.instance.id")
"""Resource attributes that every line repeats, so that a line in a file still says whose it is."""

ACCESS_EVENT = "http.request"
"""``event.name`` of the one line that each request writes."""
ACCESS_LOGGER = "otelkit.access"
# Keys of that line which are no labels of a metric.
URL_PATH = "url.path"
DURATION_MS = "duration_ms"
DB_QUERY_COUNT = "db.query.count"
DB_DURATION_MS = "db.duration_ms"
DB_QUERY_DUPLICATES = "db.query.duplicates"
# Of the statement that the request ran most often, where that is an N+1. The request's span has the same keys.
DB_QUERY_REPEATED_TEXT = "db.query.repeated.text"
DB_QUERY_REPEATED_COUNT = "db.query.repeated.count"
DB_QUERY_REPEATED_CALLER = "db.query.repeated.caller"
HTTP_RESPONSE_BODY_SIZE = "http.response.body.size"
USER_AGENT_NAME = "user_agent.name"
REQUEST_ID = "request.id"
"""On every line of a request: the caller's id where it sent a believable one, else the id of the request's span."""

SEVERITY_NUMBERS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""Level to OpenTelemetry's SeverityNumber (logs data model)."""
