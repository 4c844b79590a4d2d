"""Begins and ends the telemetry of a request. The sync and the async middleware both stand on this one core."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Tracer

from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD, UNMATCHED_ROUTE
from otelkit.catalog.metrics import (
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_N_PLUS_ONE,
    DJANGO_REQUEST_DB_QUERIES,
    DJANGO_REQUEST_PHASE_DURATION,
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_QUEUE_DURATION,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
)
from otelkit.config import Config
from otelkit.identity import service_name
from otelkit.logs.access import write_access_line
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.adoption import Adoption
from otelkit.request.description import SpanDescriber, error_type_of, path_of, qualified
from otelkit.request.excluded import ExcludedPaths
from otelkit.request.incoming import Incoming
from otelkit.request.outgoing import write_trace_headers
from otelkit.request.routes import route_of
from otelkit.request.state import ATTRIBUTE, CURRENT, RequestState, forget
from otelkit.request.streaming import follow
from otelkit.traces.foreign import redact_addresses
from otelkit.traces.names import span_name
from otelkit.traces.provider import leave_out
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.request")

_METHODS = frozenset(HTTP_REQUEST_METHOD.values) - {OTHER_METHOD}


class RequestEngine:
    """Holds what every request needs: tracer, instruments and settings."""

    def __init__(self, config: Config, tracer: Tracer, aggregator: Aggregator) -> None:
        excluded = ExcludedPaths(config.requests.excluded_paths)
        self._excluded_exactly, self._excluded_below = excluded.exactly, excluded.below
        self._writes_access_line = config.logs.access
        self._tracer = tracer
        self._duration = aggregator.histogram(HTTP_SERVER_REQUEST_DURATION)
        self._active = aggregator.counter(HTTP_SERVER_ACTIVE_REQUESTS)
        self._queries = aggregator.histogram(DJANGO_REQUEST_DB_QUERIES)
        self._duplicates = aggregator.histogram(DJANGO_REQUEST_DB_DUPLICATES)
        self._n_plus_one = aggregator.counter(DJANGO_REQUEST_DB_N_PLUS_ONE)
        self._errors = aggregator.counter(ERRORS_CAPTURED)
        self._request_size = aggregator.histogram(HTTP_SERVER_REQUEST_BODY_SIZE)
        self._response_size = aggregator.histogram(HTTP_SERVER_RESPONSE_BODY_SIZE)
        self._queue = aggregator.histogram(HTTP_SERVER_REQUEST_QUEUE_DURATION)
        self._phase = aggregator.histogram(DJANGO_REQUEST_PHASE_DURATION)
        requests = config.requests
        self._incoming = Incoming(requests)
        self._describer = SpanDescriber(requests)
        self._measures_phases = requests.phases
        self._measures_bodies = requests.body_sizes
        self._needs_response_bytes = requests.body_sizes or config.logs.access
        self._response_headers = frozenset(requests.response_headers)
        self._service = service_name(config.service)
        self._adoption = Adoption()

    def excludes(self, request: HttpRequest) -> bool:
        """Whether this path has no telemetry of any kind."""
        path = request.path_info
        return path in self._excluded_exactly or path.startswith(self._excluded_below)

    def silence(self) -> Callable[[], None]:
        """Enters the context in which nothing is traced; what comes back leaves it."""
        outer = context.get_current()
        if outer and (span := self._adoption.of(outer)) is not None:
            leave_out(span)
        token = context.attach(suppressed())
        return lambda: context.detach(token)

    def begin(self, request: HttpRequest) -> RequestState:
        """Starts the span. Whatever a header holds, this does not raise."""
        method = request.method if request.method in _METHODS else OTHER_METHOD
        meta = request.META
        outer = context.get_current()
        adopted = self._adoption.of(outer) if outer else None
        span, parent = (adopted, outer) if adopted is not None else self._start_span(meta, method)
        scheme = _scheme(request)
        state = RequestState(request, method, scheme, perf_counter(), span, trace.set_span_in_context(span, parent), self._incoming)
        if adopted is not None:
            state.is_adopted = True
        if "HTTP_X_REQUEST_START" in meta or "HTTP_X_QUEUE_START" in meta:
            state.queued = self._incoming.queued(meta)
        request.__dict__[ATTRIBUTE] = state
        self._active.add(1, (method, scheme))
        return state

    def _start_span(self, meta: Mapping[str, Any], method: str) -> tuple[Span, Context]:
        try:
            parent, stranger = self._incoming.parent(meta)
            links = (Link(stranger),) if stranger else ()
            return self._tracer.start_span(span_name(method), parent, SpanKind.SERVER, None, links), parent
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not start a request's span; the request goes on without one.")
            return INVALID_SPAN, Context()

    def enter(self, state: RequestState) -> None:
        """Makes the request's span and state current in this thread or task."""
        state.context_token = context.attach(state.context)
        state.state_token = CURRENT.set(state)

    def leave(self, state: RequestState) -> None:
        """Undoes :meth:`enter`, in the same thread or task."""
        if state.state_token is not None:
            CURRENT.reset(state.state_token)
            state.state_token = None
        if state.context_token is not None:
            context.detach(state.context_token)
            state.context_token = None

    def finish(self, state: RequestState, response: HttpResponseBase) -> None:
        """The last middleware has returned: the request ends now, or with its streamed body."""
        if self._response_headers:
            write_trace_headers(response, state.span.get_span_context(), self._response_headers, self._service)
        if response.streaming:
            state.middleware_time = max(perf_counter() - state.started - state.attributed, 0.0)
            follow(self, state, response)
        else:
            self.end(state, response)

    def end(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None = None) -> None:
        """Records everything about the request, once; a failure of ours is logged and goes no further."""
        if state.ended:
            return
        state.ended = True
        elapsed = perf_counter() - state.started
        self._active.add(-1, (state.method, state.scheme))
        if exception is None:
            exception = state.exception
        if isinstance(exception, CancelledError):
            exception = None  # the client left, or the server stops: that is how every event stream ends, and no error
        try:
            self._record(state, response, exception, elapsed)
        except Exception:
            logger.exception("otelkit could not record a request; the response is not affected.")
        finally:
            if not state.is_adopted:
                self._end_span(state.span)
            forget(state)

    @staticmethod
    def _end_span(span: Span) -> None:
        try:
            span.end()
        except Exception:  # processors may be the project's own
            logger.exception("otelkit could not end a request's span; the response is not affected.")

    def _record(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None, elapsed: float) -> None:
        route = route_of(state.request)
        label = route or UNMATCHED_ROUTE
        status = response.status_code if response is not None else _status_of(exception)
        error_type = error_type_of(status, exception)
        span_context = state.span.get_span_context()
        self._duration.record(elapsed, (state.method, label, status, state.scheme, error_type), span_context)
        if state.queries.count:
            self._queries.record(state.queries.count, (label,), span_context)
            self._duplicates.record(state.queries.duplicates, (label,), span_context)
            for found in state.queries.repeats():
                self._n_plus_one.add(found.count, (label, found.summary, found.caller))
        if exception is not None:
            self._errors.add(1, (qualified(exception), label, False, None))
        if self._measures_phases:
            self._record_phases(state, label, elapsed)
        if state.queued is not None:
            self._queue.record(state.queued, (), span_context)
        size = _response_bytes(state, response) if self._needs_response_bytes else None
        if self._measures_bodies:
            self._record_sizes(state, label, size)
        path = path_of(state.request)
        if state.span.is_recording():
            self._describer.describe(state, route, path, status, error_type, exception)
            if state.is_adopted:
                redact_addresses(state.span)
        if self._writes_access_line:
            # The line belongs to the request's trace, also when the body was streamed long after the middleware returned.
            token = context.attach(state.context)
            try:
                _write_line(state, label, path, status, elapsed, size)
            finally:
                context.detach(token)

    def _record_phases(self, state: RequestState, label: str, elapsed: float) -> None:
        # Without exemplars: those of the duration lead to the same traces, and each costs a reading of the clock.
        record = self._phase.record
        if state.middleware_time is None:
            state.middleware_time = max(elapsed - state.attributed, 0.0)
        record(state.middleware_time, (label, "middleware"))
        if state.view_time:
            record(state.view_time, (label, "view"))
        if state.queries.count:
            record(state.queries.duration, (label, "db"))
        if state.template_time:
            record(state.template_time, (label, "template"))
        if state.serialization_time:
            record(state.serialization_time, (label, "serialization"))
        if state.cache_time:
            record(state.cache_time, (label, "cache"))
        if state.outbound_time:
            record(state.outbound_time, (label, "outbound"))

    def _record_sizes(self, state: RequestState, label: str, response_bytes: int | None) -> None:
        labels = (state.method, label, state.scheme)
        request_bytes = str(state.request.META.get("CONTENT_LENGTH") or "")  # Django's test client gives a number
        if _is_size(request_bytes):
            self._request_size.record(int(request_bytes), labels)
        if response_bytes is not None:
            self._response_size.record(response_bytes, labels)


def _status_of(exception: BaseException | None) -> int | None:
    """What the client gets where there is no response: a 500 that Django or the server makes of an exception which passed every middleware.

    A handler500 that fails, or DEBUG_PROPAGATE_EXCEPTIONS. None where nobody is answered: the client left, or the process ends.
    """
    return 500 if isinstance(exception, Exception) else None


def _scheme(request: HttpRequest) -> str:
    try:
        return request.scheme or "http"
    except ImproperlyConfigured:  # a SECURE_PROXY_SSL_HEADER that is none: Django complains where the project asks
        return "http"


def _response_bytes(state: RequestState, response: HttpResponseBase | None) -> int | None:
    """Size of the body as the view made it; None where it is not known (a file without a length, no response)."""
    if response is None:
        return None
    if response.streaming and state.sent_bytes:
        return state.sent_bytes
    length = response.headers.get("Content-Length")
    if length is not None and _is_size(length):
        return int(length)
    return None if response.streaming else len(getattr(response, "content", b""))


def _is_size(text: str) -> bool:
    return len(text) < 16 and text.isascii() and text.isdigit()


def _write_line(state: RequestState, route: str, path: str, status: int | None, elapsed: float, response_bytes: int | None) -> None:
    write_access_line(
        method=state.method,
        route=route,
        path=path,
        status=status,
        duration_s=elapsed,
        response_bytes=response_bytes,
        db_queries=state.queries.count,
        db_duration_s=state.queries.duration,
        db_duplicates=state.queries.duplicates,
        user_agent=str(state.request.META.get("HTTP_USER_AGENT", "")),
        request_id=state.request_id,
        db_repeated=state.queries.worst(),
        cache_hits=state.cache_hits,
        cache_misses=state.cache_misses,
    )
