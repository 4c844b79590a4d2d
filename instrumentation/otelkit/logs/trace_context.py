"""The trace context of a log record, and how log lines spell it."""

from __future__ import annotations

import logging

from django.http import HttpRequest
from opentelemetry.context import get_current
from opentelemetry.trace import SpanContext

from otelkit.catalog import logs as keys
from otelkit.request.state import span_context_of_request
from otelkit.traces.contexts import parent_in, span_id_text, trace_id_text


def span_context_of(record: logging.LogRecord) -> SpanContext | None:
    """The context of the current span or, after it, of the request that the record is about; None where there is neither.

    Django writes its line about a 4xx when every middleware has returned, ours included; but the record names the request.
    """
    context = parent_in(get_current())
    if context is None:
        request = getattr(record, "request", None)
        found = span_context_of_request(request) if isinstance(request, HttpRequest) else None
        return found if found is not None and found.is_valid else None
    return context


def trace_keys(context: SpanContext | None) -> dict[str, str | bool]:
    """``trace_id`` (32 hex digits), ``span_id`` (16) and ``trace_sampled`` of a valid context; empty without one.

    Present for sampled-out requests too: the lines of one request still find one another, and ``trace_sampled`` explains
    why the link to the trace leads nowhere.
    """
    if context is None:
        return {}
    return {
        # Padded: an id may begin with zeros, and unpadded one in sixteen lines could not be joined to its trace.
        keys.TRACE_ID: trace_id_text(context),
        keys.SPAN_ID: span_id_text(context),
        keys.TRACE_SAMPLED: context.trace_flags.sampled,
    }
