"""Keys of a log line: the names that JSON lines, OTLP log attributes and LogQL filters share."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog import labels as l


@dataclass(frozen=True, slots=True)
class LogKey:
    """One key of a line. The names stand below as plain strings, because every line that is written looks them up."""

    name: str
    help: str


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
CACHE_HITS = "cache.hits"
CACHE_MISSES = "cache.misses"
HTTP_RESPONSE_BODY_SIZE = "http.response.body.size"
USER_AGENT_NAME = "user_agent.name"
REQUEST_ID = "request.id"
"""On every line of a request: the caller's id where it sent a believable one, else the id of the request's span."""

WEBSOCKET_EVENT = "websocket.connection"
"""``event.name`` of the one line that each connection by websocket writes at its end, with the logger of access lines."""
WEBSOCKET_OUTCOME = "websocket.outcome"
WEBSOCKET_CLOSE_CODE = "websocket.close_code"
WEBSOCKET_RECEIVED = "websocket.received"
WEBSOCKET_SENT = "websocket.sent"

TASK_NAME = "task.name"
TASK_ID = "task.id"

SEVERITY_NUMBERS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""Level to OpenTelemetry's SeverityNumber (logs data model)."""

EVERY_LINE: tuple[LogKey, ...] = (
    LogKey(TIMESTAMP, "When, UTC, RFC 3339 with microseconds."),
    LogKey(LEVEL, f"One of {', '.join(SEVERITY_NUMBERS)}, or a level of the project's own."),
    LogKey(MESSAGE, "What happened. As OTLP the body."),
    LogKey(LOGGER, "Name of the logger. As OTLP the name of the scope."),
    *(LogKey(label.name, label.help) for label in l.RESOURCE if label.name in RESOURCE_KEYS),
)
WITHIN_A_TRACE: tuple[LogKey, ...] = (
    LogKey(TRACE_ID, "Trace, 32 hexadecimal digits."),
    LogKey(SPAN_ID, "Span, 16 hexadecimal digits."),
    LogKey(TRACE_SAMPLED, "Whether the trace is kept."),
)
WITHIN_A_REQUEST: tuple[LogKey, ...] = (
    LogKey(REQUEST_ID, "The caller's id where it sent a believable one, else the id of the request's span."),
    LogKey(l.HTTP_ROUTE.name, "URL pattern, once one has matched."),
)
WITHIN_A_TASK: tuple[LogKey, ...] = (
    LogKey(TASK_NAME, "Name under which the task is registered."),
    LogKey(TASK_ID, "Its id, the same in every attempt."),
)
WITH_AN_EXCEPTION: tuple[LogKey, ...] = (
    LogKey(EXCEPTION_TYPE, l.EXCEPTION_TYPE.help),
    LogKey(EXCEPTION_MESSAGE, "Its text, without secrets."),
    LogKey(EXCEPTION_STACKTRACE, "Its stack, without the values of variables."),
    LogKey(ERROR_FINGERPRINT, "The same for the same error, whatever its values."),
)
WITH_A_STACK: tuple[LogKey, ...] = (LogKey(CODE_STACKTRACE, "Where the line was written, if its author asked (`stack_info=True`)."),)
ACCESS_LINE: tuple[LogKey, ...] = (
    LogKey(EVENT_NAME, f"`{ACCESS_EVENT}`."),
    LogKey(l.HTTP_REQUEST_METHOD.name, l.HTTP_REQUEST_METHOD.help),
    LogKey(l.HTTP_ROUTE.name, l.HTTP_ROUTE.help),
    LogKey(URL_PATH, l.URL_PATH.help),
    LogKey(l.HTTP_RESPONSE_STATUS_CODE.name, "HTTP status; absent where the client left before it was answered."),
    LogKey(DURATION_MS, "Milliseconds, until the body was out."),
    LogKey(DB_QUERY_COUNT, l.DB_QUERY_COUNT.help),
    LogKey(DB_DURATION_MS, "Milliseconds that they took."),
    LogKey(DB_QUERY_DUPLICATES, l.DB_QUERY_DUPLICATES.help),
    LogKey(DB_QUERY_REPEATED_TEXT, l.DB_QUERY_REPEATED_TEXT.help),
    LogKey(DB_QUERY_REPEATED_COUNT, l.DB_QUERY_REPEATED_COUNT.help),
    LogKey(DB_QUERY_REPEATED_CALLER, l.DB_QUERY_REPEATED_CALLER.help),
    LogKey(CACHE_HITS, "Values that the request found in its caches; absent where it asked none."),
    LogKey(CACHE_MISSES, "Values that it did not find there."),
    LogKey(HTTP_RESPONSE_BODY_SIZE, "Bytes of the body, where they are known."),
    LogKey(USER_AGENT_NAME, "Family of the user agent, like `Firefox` or `curl`."),
    LogKey(REQUEST_ID, "As on every line of the request."),
)
"""Of the one line that each request writes, with the logger :data:`ACCESS_LOGGER`."""
WEBSOCKET_LINE: tuple[LogKey, ...] = (
    LogKey(EVENT_NAME, f"`{WEBSOCKET_EVENT}`."),
    LogKey(l.HTTP_ROUTE.name, l.HTTP_ROUTE.help),
    LogKey(URL_PATH, l.URL_PATH.help),
    LogKey(WEBSOCKET_OUTCOME, l.WEBSOCKET_OUTCOME.help),
    LogKey(WEBSOCKET_CLOSE_CODE, l.WEBSOCKET_CLOSE_CODE.help),
    LogKey(DURATION_MS, "Milliseconds, from the handshake to the end."),
    LogKey(WEBSOCKET_RECEIVED, "Messages that the client sent."),
    LogKey(WEBSOCKET_SENT, "Messages that it was sent."),
    LogKey(USER_AGENT_NAME, "Family of the user agent."),
    LogKey(REQUEST_ID, "As on every line of the connection: the handshake's."),
)
"""Of the one line that each connection by websocket writes at its end."""
