"""Begins and ends the telemetry of a request. The sync and the async middleware both stand on this one core."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog import logs as keys
from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD, UNMATCHED_ROUTE
from otelkit.catalog.metrics import (
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_N_PLUS_ONE,
    DJANGO_REQUEST_DB_QUERIES,
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
)
from otelkit.config import Config
from otelkit.logs.access import write_access_line
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import redact_path, redact_text
from otelkit.request.routes import route_of
from otelkit.request.state import ATTRIBUTE, CURRENT, RequestState
from otelkit.traces.names import span_name
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.request")

_METHODS = frozenset(HTTP_REQUEST_METHOD.values) - {OTHER_METHOD}


class MetaGetter(Getter[Mapping[str, Any]]):
    """Reads propagation headers out of Django's ``request.META``."""

    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        value = carrier.get(_meta_key(key))
        return None if value is None else [str(value)]

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return [key[5:].replace("_", "-").lower() for key in carrier if key.startswith("HTTP_")]


def _meta_key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


_getter = MetaGetter()


class RequestEngine:
    """Holds what every request needs: tracer, instruments and settings."""

    def __init__(self, config: Config, tracer: Tracer, aggregator: Aggregator) -> None:
        excluded = config.requests.excluded_paths
        self._excluded_exactly = frozenset(path for path in excluded if not path.endswith("/")) | {path.rstrip("/") for path in excluded}
        self._excluded_below = tuple(path for path in excluded if path.endswith("/"))
        self._writes_access_line = config.logs.access
        self._tracer = tracer
        self._duration = aggregator.histogram(HTTP_SERVER_REQUEST_DURATION)
        self._active = aggregator.counter(HTTP_SERVER_ACTIVE_REQUESTS)
        self._queries = aggregator.histogram(DJANGO_REQUEST_DB_QUERIES)
        self._duplicates = aggregator.histogram(DJANGO_REQUEST_DB_DUPLICATES)
        self._n_plus_one = aggregator.counter(DJANGO_REQUEST_DB_N_PLUS_ONE)
        self._errors = aggregator.counter(ERRORS_CAPTURED)
        self._propagation_keys = tuple(_meta_key(field) for field in propagate.get_global_textmap().fields)

    def excludes(self, request: HttpRequest) -> bool:
        """Whether this path has no telemetry of any kind."""
        path = request.path_info
        return path in self._excluded_exactly or path.rstrip("/") in self._excluded_exactly or path.startswith(self._excluded_below)

    def silence(self) -> Callable[[], None]:
        """Enters the context in which nothing is traced; what comes back leaves it."""
        token = context.attach(suppressed())
        return lambda: context.detach(token)

    def begin(self, request: HttpRequest) -> RequestState:
        """Starts the span and makes it current. Whatever a header holds, this does not raise."""
        method = request.method if request.method in _METHODS else OTHER_METHOD
        parent = self._parent(request)
        span = self._tracer.start_span(span_name(method), context=parent, kind=SpanKind.SERVER)
        scheme = request.scheme or "http"
        state = RequestState(request, method, scheme, perf_counter(), span, trace.set_span_in_context(span, parent))
        setattr(request, ATTRIBUTE, state)
        self._active.add(1, (method, scheme))
        return state

    def _parent(self, request: HttpRequest) -> Context:
        if any(key in request.META for key in self._propagation_keys):
            try:
                return propagate.extract(request.META, context=Context(), getter=_getter)
            except Exception:
                logger.debug("Incoming trace headers could not be read; a new trace begins.", exc_info=True)
        return Context()

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

    def end(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None = None) -> None:
        """Records everything about the request, once; a failure of ours is logged and goes no further."""
        if state.ended:
            return
        state.ended = True
        elapsed = perf_counter() - state.started
        self._active.add(-1, (state.method, state.scheme))
        try:
            self._record(state, response, exception or state.exception, elapsed)
        except Exception:
            logger.exception("otelkit could not record a request; the response is not affected.")
        finally:
            state.span.end()
            state.request.__dict__.pop(ATTRIBUTE, None)

    def _record(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None, elapsed: float) -> None:
        route = route_of(state.request)
        label = route or UNMATCHED_ROUTE
        status = response.status_code if response is not None else None
        error_type = _error_type(status, exception)
        span_context = state.span.get_span_context()
        self._duration.record(elapsed, (state.method, label, status, state.scheme, error_type), span_context)
        if state.queries.count:
            self._queries.record(state.queries.count, (label,), span_context)
            self._duplicates.record(state.queries.duplicates, (label,), span_context)
            for found in state.queries.repeats():
                self._n_plus_one.add(found.count, (label, found.summary, found.caller))
        if exception is not None:
            self._errors.add(1, (_qualified(exception), label, False))
        if state.span.is_recording():
            _describe(state, route, status, error_type, exception)
        if self._writes_access_line:
            # The line belongs to the request's trace, also when the body was streamed long after the middleware returned.
            token = context.attach(state.context)
            try:
                _write_line(state, label, status, elapsed, response)
            finally:
                context.detach(token)


def _error_type(status: int | None, exception: BaseException | None) -> str | None:
    """The exception's class where one escaped, the status for any other 5xx, None for everything that is the caller's doing."""
    if exception is not None:
        return _qualified(exception)
    return str(status) if status is not None and status >= 500 else None


def _qualified(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"


def _describe(state: RequestState, route: str | None, status: int | None, error_type: str | None, exception: BaseException | None) -> None:
    """Name, attributes and status of the span, all at once at the end: a route is known only then."""
    request, span = state.request, state.span
    span.update_name(span_name(state.method, route))
    attributes: dict[str, Any] = {
        "http.request.method": state.method,
        "url.scheme": state.scheme,
        "url.path": _path(request),
        "network.protocol.version": str(request.META.get("SERVER_PROTOCOL", "HTTP/1.1")).partition("/")[2] or "1.1",
        "db.query.count": state.queries.count,
        "db.query.duplicates": state.queries.duplicates,
        "db.duration": state.queries.duration,
        **_host(request),
    }
    if state.method == OTHER_METHOD:
        attributes["http.request.method_original"] = str(request.method)[:32]
    if route:
        attributes["http.route"] = route
    if status is not None:
        attributes["http.response.status_code"] = status
    agent = request.META.get("HTTP_USER_AGENT")
    if agent:
        attributes["user_agent.original"] = str(agent)[:256]
    view = _view(request)
    if view:
        attributes["code.function.name"] = view
    if error_type:
        attributes["error.type"] = error_type
    attributes |= _repeated(state)
    span.set_attributes(attributes)
    _mark(span, error_type, exception)


def _repeated(state: RequestState) -> dict[str, str | int]:
    """What the span and the access line say about the statement that ran most often, where that is an N+1."""
    for worst in state.queries.repeats():
        found: dict[str, str | int] = {keys.DB_QUERY_REPEATED_TEXT: worst.text, keys.DB_QUERY_REPEATED_COUNT: worst.count}
        return found | {keys.DB_QUERY_REPEATED_CALLER: worst.caller} if worst.caller else found
    return {}


def _mark(span: Span, error_type: str | None, exception: BaseException | None) -> None:
    if exception is not None:
        span.add_event("exception", {"exception.type": _qualified(exception), "exception.message": redact_text(str(exception))[:1024]})
        span.set_status(Status(StatusCode.ERROR, _qualified(exception)))
    elif error_type:
        span.set_status(Status(StatusCode.ERROR))


def _path(request: HttpRequest) -> str:
    """The path without what its pattern calls a token, a key or the like: ``/reset/[REDACTED]/``."""
    match = request.resolver_match
    return redact_path(request.path, match.kwargs) if match else request.path


def _host(request: HttpRequest) -> dict[str, str | int]:
    """Address and port the client used, by Django's own rules for proxies; the socket's where the Host header is not allowed."""
    try:
        host = request.get_host()
    except DisallowedHost:
        host = f"{request.META.get('SERVER_NAME', '')}:{request.META.get('SERVER_PORT', '')}"
    address, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    if port.isdigit():
        return {"server.address": address, "server.port": int(port)}
    return {"server.address": host}


def _view(request: HttpRequest) -> str | None:
    """Dotted name of the view; of the class for class-based views and viewsets, with the action where there is one."""
    match = request.resolver_match
    if match is None:
        return None
    function = match.func
    kind = getattr(function, "view_class", None) or getattr(function, "cls", None) or function
    name = f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', type(kind).__qualname__)}"
    action = (getattr(function, "actions", None) or {}).get(str(request.method).lower())
    return f"{name}.{action}" if action else name


def _write_line(state: RequestState, route: str, status: int | None, elapsed: float, response: HttpResponseBase | None) -> None:
    length = response.headers.get("Content-Length") if response is not None else None
    if length is None and response is not None and not response.streaming:
        length = str(len(getattr(response, "content", b"")))
    write_access_line(
        method=state.method,
        route=route,
        path=_path(state.request),
        status=status,
        duration_s=elapsed,
        response_bytes=int(length) if length is not None and length.isdigit() else None,
        db_queries=state.queries.count,
        db_duration_s=state.queries.duration,
        db_duplicates=state.queries.duplicates,
        user_agent=str(state.request.META.get("HTTP_USER_AGENT", "")),
        db_repeated=_repeated(state),
    )
