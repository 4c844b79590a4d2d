"""The trace context of a log record, and how log lines spell it."""

from __future__ import annotations

import logging

from django.http import HttpRequest
from opentelemetry import trace
from opentelemetry.trace import SpanContext

from otelkit.catalog import logs as keys
from otelkit.request.state import span_context_of_request


def span_context_of(record: logging.LogRecord) -> SpanContext:
    """The context of the current span or, after it, of the request that the record is about; invalid where there is neither.

    Django writes its line about a 4xx when every middleware has returned, ours included; but the record names the request.
    """
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            return span_context_of_request(request) or context
    return context


def trace_keys(context: SpanContext) -> dict[str, str | bool]:
    """``trace_id`` (32 hex digits), ``span_id`` (16) and ``trace_sampled``; empty without a valid context.

    Present for sampled-out requests too: the lines of one request still find one another, and ``trace_sampled`` explains
    why the link to the trace leads nowhere.
    """
    if not context.is_valid:
        return {}
    return {
        # Padded: an id may begin with zeros, and unpadded one in sixteen lines could not be joined to its trace.
        keys.TRACE_ID: format(context.trace_id, "032x"),
        keys.SPAN_ID: format(context.span_id, "016x"),
        keys.TRACE_SAMPLED: context.trace_flags.sampled,
    }
