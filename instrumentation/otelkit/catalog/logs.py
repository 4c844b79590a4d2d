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

RESOURCE_KEYS = ("service.name", "service.namespace", "service.version", "deployment.environment.name", "service.instance.id")
"""Resource attributes that every line repeats, so that a line in a file still says whose it is."""

ACCESS_EVENT = "http.request"
"""``event.name`` of the one line that each request writes."""
ACCESS_LOGGER = "otelkit.access"

SEVERITY_NUMBERS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""Level to OpenTelemetry's SeverityNumber (logs data model)."""
