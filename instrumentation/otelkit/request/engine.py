"""Begins and ends the telemetry of a request. The sync and the async middleware both stand on this one core."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, Link, Span, SpanContext, SpanKind, Tracer

from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD
from otelkit.catalog.metrics import (
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_N_PLUS_ONE,
    DJANGO_REQUEST_DB_QUERIES,
    DJANGO_REQUEST_PHASE_DURATION,
    ERRORS_CAPTURED,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_REQUEST_QUEUE_DURATION,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    OVERHEAD_DURATION,
)
from otelkit.config import Config
from otelkit.identity import service_name
from otelkit.logs.access import write_access_line
from otelkit.metrics.aggregator import Aggregator, LabelValues
from otelkit.request.active import ActiveRequests
from otelkit.request.adoption import Adoption
from otelkit.request.description import SpanDescriber, error_type_of, path_of, qualified
from otelkit.request.excluded import ExcludedPaths
from otelkit.request.incoming import Incoming
from otelkit.request.outcomes import Outcomes
from otelkit.request.outgoing import write_trace_headers
from otelkit.request.state import ATTRIBUTE, CURRENT, RequestState, forget
from otelkit.request.streaming import follow
from otelkit.traces.contexts import context_of, with_span
from otelkit.traces.foreign import redact_addresses
from otelkit.traces.names import span_name
from otelkit.traces.provider import leave_out
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.request")

_METHODS = frozenset(HTTP_REQUEST_METHOD.values) - {OTHER_METHOD}
_NAMES = {method: span_name(method) for method in (*_METHODS, OTHER_METHOD)}
"""Of a span until its route is known."""
MEASURED_EVERY = 16
"""Of so many requests one is measured for what the kit itself costs: readings of the clock cost, too."""
_WHOLE = frozenset({HttpResponse, JsonResponse})
"""Classes of responses whose content is at hand; others may have to make it first, or refuse to."""


class RequestEngine:
    """Holds what every request needs: tracer, instruments and settings."""

    def __init__(self, config: Config, tracer: Tracer, aggregator: Aggregator) -> None:
        excluded = ExcludedPaths(config.requests.excluded_paths)
        self._excluded_exactly, self._excluded_below = excluded.exactly, excluded.below
        self._writes_access_line = config.logs.access
        self._tracer = tracer
        self._duration = aggregator.histogram(HTTP_SERVER_REQUEST_DURATION)
        self._active = ActiveRequests(aggregator)
        if config.requests.engine == "otelkit":
            self._active.observe()
        self._queries = aggregator.histogram(DJANGO_REQUEST_DB_QUERIES)
        self._duplicates = aggregator.histogram(DJANGO_REQUEST_DB_DUPLICATES)
        self._n_plus_one = aggregator.counter(DJANGO_REQUEST_DB_N_PLUS_ONE)
        self._errors = aggregator.counter(ERRORS_CAPTURED)
        self._request_size = aggregator.histogram(HTTP_SERVER_REQUEST_BODY_SIZE)
        self._response_size = aggregator.histogram(HTTP_SERVER_RESPONSE_BODY_SIZE)
        self._queue = aggregator.histogram(HTTP_SERVER_REQUEST_QUEUE_DURATION)
        self._phase = aggregator.histogram(DJANGO_REQUEST_PHASE_DURATION)
        self._overhead = aggregator.histogram(OVERHEAD_DURATION)
        self._until_measured = MEASURED_EVERY
        requests = config.requests
        self._incoming = Incoming(requests)
        self._outcomes = Outcomes()
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
        started = perf_counter()
        method = request.method if request.method in _METHODS else OTHER_METHOD
        meta = request.META
        outer = context.get_current()
        adopted = self._adoption.of(outer) if outer else None
        if adopted is None:
            span, span_context, parent = self._start_span(meta, method)
        else:
            span, span_context, parent = adopted, context_of(adopted), outer
        scheme = _scheme(request, meta)
        state = RequestState(request, method, scheme, started, span, span_context, with_span(span, parent), self._incoming)
        if adopted is not None:
            state.is_adopted = True
        if "HTTP_X_REQUEST_START" in meta or "HTTP_X_QUEUE_START" in meta:
            state.queued = self._incoming.queued(meta)
        request.__dict__[ATTRIBUTE] = state
        self._active.begin(id(state), (method, scheme))
        self._until_measured -= 1  # two threads may take the same step; then a request is measured a little later
        if self._until_measured <= 0:
            self._until_measured = MEASURED_EVERY
            state.own_time = perf_counter() - started
        return state

    def _start_span(self, meta: Mapping[str, Any], method: str) -> tuple[Span, SpanContext, Context]:
        try:
            parent, stranger = self._incoming.parent(meta)
            links = (Link(stranger),) if stranger else ()
            span = self._tracer.start_span(_NAMES[method], parent, SpanKind.SERVER, None, links)
            return span, context_of(span), parent
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not start a request's span; the request goes on without one.")
            return INVALID_SPAN, INVALID_SPAN_CONTEXT, Context()

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
            write_trace_headers(response, state.span_context, self._response_headers, self._service)
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
        self._active.end(id(state))
        if exception is None:
            exception = state.exception
        if exception is not None and isinstance(exception, CancelledError):
            exception = None  # the client left, or the server stops: that is how every event stream ends, and no error
        try:
            self._record(state, response, exception, elapsed)
        except Exception:
            logger.exception("otelkit could not record a request; the response is not affected.")
        finally:
            if not state.is_adopted:
                self._end_span(state.span)
            forget(state)
            if state.own_time is not None:
                self._overhead.record(state.own_time + perf_counter() - state.started - elapsed, ())

    @staticmethod
    def _end_span(span: Span) -> None:
        try:
            span.end()
        except Exception:  # processors may be the project's own
            logger.exception("otelkit could not end a request's span; the response is not affected.")

    def _record(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None, elapsed: float) -> None:
        status = response.status_code if response is not None else _status_of(exception)
        error_type = error_type_of(status, exception)
        outcome = self._outcomes.of(state.request, state.method, state.scheme, status, error_type)
        route, span_context, queries = outcome.route_label, state.span_context, state.queries
        self._duration.record(elapsed, outcome.duration_labels, span_context)
        if queries.count:
            self._queries.record(queries.count, (route,), span_context)
            self._duplicates.record(queries.duplicates, (route,), span_context)
            for found in queries.repeats():
                self._n_plus_one.add(found.count, (route, found.summary, found.caller))
        if exception is not None:
            self._errors.add(1, (qualified(exception), route, False, None))
        if self._measures_phases:
            self._record_phases(state, route, elapsed)
        if state.queued is not None:
            self._queue.record(state.queued, (), span_context)
        size = _response_bytes(state, response) if self._needs_response_bytes else None
        if self._measures_bodies:
            self._record_sizes(state, route, size)
        is_recording = state.span.is_recording()
        if not (is_recording or self._writes_access_line):
            return
        path = path_of(state.request)
        if is_recording:
            self._describer.describe(state, outcome, path, exception)
            if state.is_adopted:
                redact_addresses(state.span)
        if self._writes_access_line:
            _write_line(state, route, path, status, elapsed, size)

    def _record_phases(self, state: RequestState, route: str, elapsed: float) -> None:
        # Without exemplars: those of the duration lead to the same traces, and each costs a reading of the clock.
        if state.middleware_time is None:
            state.middleware_time = max(elapsed - state.attributed, 0.0)
        observations: list[tuple[float, LabelValues]] = [(state.middleware_time, (route, "middleware"))]
        if state.view_time:
            observations.append((state.view_time, (route, "view")))
        if state.queries.count:
            observations.append((state.queries.duration, (route, "db")))
        if state.template_time:
            observations.append((state.template_time, (route, "template")))
        if state.serialization_time:
            observations.append((state.serialization_time, (route, "serialization")))
        if state.cache_time:
            observations.append((state.cache_time, (route, "cache")))
        if state.outbound_time:
            observations.append((state.outbound_time, (route, "outbound")))
        self._phase.record_all(observations)

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


def _scheme(request: HttpRequest, meta: Mapping[str, Any]) -> str:
    if settings.SECURE_PROXY_SSL_HEADER is None and (scheme := meta.get("wsgi.url_scheme")):
        return str(scheme)  # as Django answers then, after three more questions
    try:
        return request.scheme or "http"
    except ImproperlyConfigured:  # a SECURE_PROXY_SSL_HEADER that is none: Django complains where the project asks
        return "http"


def _response_bytes(state: RequestState, response: HttpResponseBase | None) -> int | None:
    """Size of the body as the view made it; None where it is not known (a file without a length, no response)."""
    if response is None:
        return None
    if type(response) in _WHOLE and (content := response.content):  # type: ignore[attr-defined]  # those have it
        return len(content)
    if response.streaming and state.sent_bytes:
        return state.sent_bytes
    length = response.headers.get("Content-Length")
    if length is not None and _is_size(length):
        return int(length)
    return None if response.streaming else len(getattr(response, "content", b""))


def _is_size(text: str) -> bool:
    return len(text) < 16 and text.isascii() and text.isdigit()


def _write_line(state: RequestState, route: str, path: str, status: int | None, elapsed: float, response_bytes: int | None) -> None:
    queries = state.queries
    write_access_line(
        method=state.method,
        route=route,
        path=path,
        status=status,
        duration_s=elapsed,
        response_bytes=response_bytes,
        db_queries=queries.count,
        db_duration_s=queries.duration,
        db_duplicates=queries.duplicates,
        user_agent=str(state.request.META.get("HTTP_USER_AGENT", "")),
        request_id=state.request_id,
        db_repeated=queries.worst() if queries.count else None,
        cache_hits=state.cache_hits,
        cache_misses=state.cache_misses,
        context=state.context,  # also when the body was streamed long after the middleware returned
    )
