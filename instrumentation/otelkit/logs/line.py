"""One log line as a dict, in the order in which a reader wants it: when, how bad, what, who, which trace, the rest, the error.

Standard-library records and structlog events take this one road, so that their lines cannot differ.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from structlog.contextvars import get_contextvars

from otelkit.catalog import logs as keys
from otelkit.logs.exceptions import describe_exception
from otelkit.logs.request_context import current_request_context
from otelkit.logs.trace_context import span_context_of, trace_keys
from otelkit.plain_values import CONTAINERS, LONGEST_KEY, Cleaner, well_formed
from otelkit.redaction import REDACTED, is_sensitive, redact_path, sanitize_sql
from otelkit.safe_text import safe_text

Line: TypeAlias = dict[str, Any]
"""Keys of ``otelkit.catalog.logs`` and the caller's own; values are plain JSON data."""

STRUCTLOG_EVENT = "structlog_event"
"""Attribute of a record that holds the keys of a structlog event: there ``name`` and ``args`` are free for the caller."""

PRESENTATION = "otelkit_presentation"
"""Attribute of a record that holds its text for a person, as :class:`otelkit.logs.formatter.Presentation`."""

MOST_KEYS = 128
"""Keys of the caller's in one line."""

_RECORD_ATTRIBUTES: frozenset[object] = frozenset(logging.makeLogRecord({}).__dict__) | {
    # Set by formatters and by newer Pythons.
    "message",
    "asctime",
    "taskName",
    # Set by OpenTelemetry's logging instrumentation: the ids that we write already, under other names.
    "otelTraceID",
    "otelSpanID",
    "otelTraceSampled",
    "otelServiceName",
    # uvicorn's message once more, in colours.
    "color_message",
    PRESENTATION,
}
# The request (or the socket, with the client's address), and what the message says already.
_DJANGO_ATTRIBUTES = _RECORD_ATTRIBUTES | {"request", "server_time", "sql", "params"}
_STRUCTLOG_ATTRIBUTES: frozenset[object] = frozenset({"event", "positional_args", "exc_info", "stack_info"})
_OURS = frozenset(
    {
        keys.TIMESTAMP,
        keys.LEVEL,
        keys.MESSAGE,
        keys.LOGGER,
        keys.TRACE_ID,
        keys.SPAN_ID,
        keys.TRACE_SAMPLED,
        keys.EXCEPTION_TYPE,
        keys.EXCEPTION_MESSAGE,
        keys.EXCEPTION_STACKTRACE,
        keys.ERROR_FINGERPRINT,
        keys.CODE_STACKTRACE,
        *keys.RESOURCE_KEYS,
    }
)
LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "critical"}
_END_OF_CALENDAR = 253_402_300_800 * 1_000_000  # RFC 3339 has four digits for a year.


class _Nesting(threading.local):
    depth = 0


_nesting = _Nesting()
_second: tuple[int, str] = (0, "1970-01-01T00:00:00")


class LineComposer:
    """Makes lines that begin with the same resource."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        self.rename(resource)

    def rename(self, resource: Mapping[str, str]) -> None:
        """``resource`` is the whole resource; a line takes the keys of ``catalog.logs.RESOURCE_KEYS`` that it has."""
        self.resource = {key: str(resource[key]) for key in keys.RESOURCE_KEYS if resource.get(key)}

    def compose(self, record: logging.LogRecord) -> Line:
        """The line of this record. Never raises: what cannot be shown is named and left out."""
        nested = _nesting.depth > 0
        _nesting.depth += 1
        try:
            return self._compose(record, Cleaner(trusting=not nested), nested=nested)
        except Exception as error:  # noqa: BLE001 - a log call must not break the code that it describes
            return self._minimal(record, error)
        finally:
            _nesting.depth -= 1

    def _compose(self, record: logging.LogRecord, cleaner: Cleaner, *, nested: bool) -> Line:
        name = record.name if type(record.name) is str else safe_text(record.name)
        of_django = name.startswith("django.")
        message = _message(record, cleaner, nested=nested)
        line: Line = {
            keys.TIMESTAMP: rfc3339(record.created),
            keys.LEVEL: level_of(record),
            keys.MESSAGE: cleaner.text(_without_djangos_secrets(record, message) if of_django else message),
            keys.LOGGER: cleaner.key(name),
            **self.resource,
            **trace_keys(span_context_of(record)),
            **current_request_context(),
        }
        callers = _callers_keys(record, of_django=of_django)
        for key, value in callers if len(callers) <= MOST_KEYS else callers[:MOST_KEYS]:
            name, is_secret = spelling_of(key) if type(key) is str and len(key) <= LONGEST_KEY else spelling_of(cleaner.key(key))
            line[name] = REDACTED if is_secret else cleaner.value(value)
        if len(callers) > MOST_KEYS:
            line["..."] = f"<{len(callers) - MOST_KEYS} more>"
        error = _exception_of(record)
        if error is not None:
            line.update(describe_exception(error))
        elif record.exc_text:  # A record from another process, with its stack as text.
            line[keys.EXCEPTION_STACKTRACE] = cleaner.text(safe_text(record.exc_text))
        if record.stack_info:
            line[keys.CODE_STACKTRACE] = cleaner.text(safe_text(record.stack_info))
        return line

    def _minimal(self, record: logging.LogRecord, error: Exception) -> Line:
        return {
            keys.TIMESTAMP: rfc3339(time.time()),
            keys.LEVEL: "error",
            keys.MESSAGE: f"<a log line that could not be composed: {type(error).__qualname__}>",
            keys.LOGGER: record.name if type(record.name) is str and record.name.isascii() else "",
            **self.resource,
        }


def unix_microseconds(created: float) -> int:
    """Unix seconds as whole microseconds. Times that no calendar has become now."""
    try:
        microseconds = round(created * 1_000_000)
    except (TypeError, ValueError, OverflowError):
        microseconds = -1
    return microseconds if 0 <= microseconds < _END_OF_CALENDAR else time.time_ns() // 1_000


def rfc3339(created: float) -> str:
    """Unix seconds as UTC with microseconds: ``2026-11-22T13:28:05.123456Z``."""
    global _second
    second, microseconds = divmod(unix_microseconds(created), 1_000_000)
    known, text = _second
    if known != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second = (second, text)  # One tuple, so that no thread sees half of another's.
    return f"{text}.{microseconds:06d}Z"


def level_of(record: logging.LogRecord) -> str:
    """The level in small letters, the standard ones under one name each (never ``warn`` or ``fatal``)."""
    return LEVELS.get(record.levelno) or str(record.levelname).lower()


def _message(record: logging.LogRecord, cleaner: Cleaner, *, nested: bool) -> str:
    message, args = record.msg, record.args
    if type(message) is str and not args:
        return message
    if nested:
        # Some value's __str__ is writing this line. Calling __str__ again here would never end.
        return message if type(message) is str else f"<{type(message).__qualname__}>"
    if type(message) in CONTAINERS:
        return safe_text(cleaner.value(message))
    try:
        if type(message) is not str or type(record) is not logging.LogRecord:
            return str.__str__(record.getMessage())  # Somebody's own way of putting messages together.
        return str(message % _bounded(message, args, cleaner))
    except Exception:  # noqa: BLE001 - placeholders without values, or a value whose __str__ raises
        return f"{safe_text(message)} {cleaner.value(args)}"


def _bounded(message: str, args: Any, cleaner: Cleaner) -> Any:
    """The arguments with their containers cut and redacted: ``%s`` alone prints each password and each of a million entries."""
    if type(args) is tuple:
        return tuple(cleaner.value(arg) if type(arg) in CONTAINERS else arg for arg in args)
    if type(args) is dict:
        if "%(" not in message:
            return cleaner.value(args)
        return {
            key: cleaner.pair(str(key), value) if is_sensitive(str(key)) or type(value) in CONTAINERS else value
            for key, value in args.items()
        }
    return args  # gunicorn's access line: a mapping that answers for missing keys, too.


def _without_djangos_secrets(record: logging.LogRecord, text: str) -> str:
    """Two messages of Django's carry values that its records name: SQL with parameters, and paths with tokens."""
    sql = getattr(record, "sql", None)
    if type(sql) is str:
        return sanitize_sql(sql)
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    captured = getattr(match, "captured_kwargs", None) or getattr(match, "kwargs", None)
    return redact_path(text, captured) if isinstance(captured, dict) else text


def _callers_keys(record: logging.LogRecord, *, of_django: bool) -> list[tuple[object, object]]:
    """The keys bound to the context and, over them, those of the call."""
    attributes = record.__dict__
    event = attributes.get(STRUCTLOG_EVENT)
    ignored = _RECORD_ATTRIBUTES
    if event is not None:
        attributes, ignored = event, _STRUCTLOG_ATTRIBUTES
    elif of_django:
        ignored = _DJANGO_ATTRIBUTES
    own: list[tuple[object, object]] = [(key, attributes[key]) for key in attributes if key not in ignored]
    bound = get_contextvars()
    if bound:
        bound.update(own)  # type: ignore[arg-type]  # keys of a caller may be anything, though structlog's are strings
        return list(bound.items())
    return own


@lru_cache(maxsize=4096)
def spelling_of(key: str) -> tuple[str, bool]:
    """How the line spells a caller's key, and whether it hides the value. Remembered: a service has few keys."""
    name = well_formed(key)
    return (keys.EXTRA_PREFIX + name if name in _OURS else name, is_sensitive(name))


def _exception_of(record: logging.LogRecord) -> BaseException | None:
    exc_info = record.exc_info
    error: object = exc_info[1] if isinstance(exc_info, tuple) and len(exc_info) == 3 else exc_info
    return error if isinstance(error, BaseException) else None
