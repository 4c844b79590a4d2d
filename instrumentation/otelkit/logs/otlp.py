"""Records as OTLP log records: the same keys as the JSON line, in the fields of OpenTelemetry's logs data model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from otelkit.catalog import logs as keys
from otelkit.logs.item import LogItem
from otelkit.logs.line import LEVELS, LineComposer, unix_microseconds
from otelkit.logs.trace_context import span_context_of

_OWN_LOGGER = "otelkit"
_SEVERITIES = sorted((known, keys.SEVERITY_NUMBERS[name]) for known, name in LEVELS.items())
_TRACE = 1


class _Silence(threading.local):
    is_on = False


_silence = _Silence()


@contextmanager
def silence() -> Iterator[None]:
    """Within it, what this thread logs is not sent over OTLP (it is still printed).

    For code that sends telemetry: the lines of its HTTP library, sent, would cause lines of its HTTP library.
    """
    before = _silence.is_on
    _silence.is_on = True
    try:
        yield
    finally:
        _silence.is_on = before


class OTLPHandler(logging.Handler):
    """Hands each record as a :class:`~otelkit.logs.LogItem` to a callable, which must not block."""

    def __init__(self, emit_item: Callable[[LogItem], None]) -> None:
        super().__init__()
        self._emit_item = emit_item
        self._compose = LineComposer({}).compose
        self.failures = 0
        """Records that ``emit_item`` raised for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the record on. Never raises; records of the kit itself, other than access lines, are left out."""
        if _silence.is_on or _is_own(record.name):
            return
        # What composing or handing on logs, in turn, would arrive here again.
        with silence():
            try:
                self._emit_item(self._item(record))
            except Exception:  # noqa: BLE001 - a full or broken queue is not the caller's business
                self.failures += 1

    def _item(self, record: logging.LogRecord) -> LogItem:
        line = self._compose(record)
        context = span_context_of(record)
        # What the record has a field for is no attribute; the rest are, so that one LogQL query finds both forms.
        for key in (keys.TIMESTAMP, keys.TRACE_ID, keys.SPAN_ID):
            line.pop(key, None)
        return LogItem(
            time_ns=unix_microseconds(record.created) * 1_000,  # A float of Unix seconds holds no more.
            severity_number=_severity_number(record.levelno),
            severity_text=str(record.levelname),
            body=line.pop(keys.MESSAGE),
            attributes=line,
            trace_id=context.trace_id if context else 0,
            span_id=context.span_id if context else 0,
            trace_flags=int(context.trace_flags) if context else 0,
            event_name=str(line.get(keys.EVENT_NAME, "")),
        )


def _is_own(name: str) -> bool:
    return name.startswith(_OWN_LOGGER) and name != keys.ACCESS_LOGGER and name[len(_OWN_LOGGER) :][:1] in ("", ".")


def _severity_number(level: int) -> int:
    """OpenTelemetry's number for a level; levels between two of Python's count as the lower one."""
    below = [number for known, number in _SEVERITIES if known <= level]
    return below[-1] if below else _TRACE
