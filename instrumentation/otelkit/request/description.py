"""What the span of a request says, written all at once at its end: route, view and user are known only then."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from opentelemetry.trace import Span, Status, StatusCode

from otelkit.catalog.labels import OTHER_METHOD
from otelkit.config import Requests
from otelkit.logs.exceptions import message_of
from otelkit.redaction import redact_path
from otelkit.request.addresses import ServerAddresses, client_address_reader
from otelkit.request.state import RequestState
from otelkit.request.views import user_of, view_name
from otelkit.traces.names import span_name


class SpanDescriber:
    """Name, attributes and status of a request's span. What the settings leave out is decided once, here."""

    def __init__(self, config: Requests) -> None:
        self._addresses = ServerAddresses()
        self._client_address = client_address_reader(config)
        self._has_phases = config.phases
        self._has_user = config.user_id != "off"
        self._hashes_user = config.user_id == "hashed"

    def describe(
        self,
        state: RequestState,
        route: str | None,
        path: str,
        status: int | None,
        error_type: str | None,
        exception: BaseException | None,
    ) -> None:
        """Writes everything that is known about the request into its span. ``path`` is that of :func:`path_of`."""
        request, span, queries = state.request, state.span, state.queries
        meta = request.META
        address, port = self._addresses.of(request)
        attributes: dict[str, Any] = {
            "http.request.method": state.method,
            "url.scheme": state.scheme,
            "url.path": path,
            "network.protocol.version": http_version(request),
            "server.address": address,
            "db.query.count": queries.count,
            "db.query.duplicates": queries.duplicates,
            "db.duration": queries.duration,
        }
        if port is not None:
            attributes["server.port"] = port
        if state.method == OTHER_METHOD:
            attributes["http.request.method_original"] = str(request.method)[:32]
        if route:
            span.update_name(span_name(state.method, route))
            attributes["http.route"] = route
        if status is not None:
            attributes["http.response.status_code"] = status
        agent = meta.get("HTTP_USER_AGENT")
        if agent:
            attributes["user_agent.original"] = str(agent)[:256]
        view = state.view_name or view_name(request, state.method)
        if view:
            attributes["code.function.name"] = view
        if error_type:
            attributes["error.type"] = error_type
        attributes |= queries.worst()
        if state.cache_hits or state.cache_misses:
            attributes |= {"cache.hits": state.cache_hits, "cache.misses": state.cache_misses}
        if state.validation_errors:
            attributes["validation.error.count"] = state.validation_errors
        if self._has_phases:
            _add_phases(attributes, state)
        if state.queued is not None:
            attributes["django.request.queue_ms"] = state.queued * 1000
        if self._client_address is not None and (client := self._client_address(meta)):
            attributes["client.address"] = client
        if self._has_user and (user := user_of(request, hashed=self._hashes_user)):
            attributes["user.id"] = user
        span.set_attributes(attributes)
        _mark(span, error_type, exception)


def _add_phases(attributes: dict[str, Any], state: RequestState) -> None:
    """Milliseconds, as a reader of one trace wants them; the phases that took no part are left out."""
    if state.middleware_time is not None:
        attributes["django.request.phase.middleware_ms"] = state.middleware_time * 1000
    if state.view_time:
        attributes["django.request.phase.view_ms"] = state.view_time * 1000
    if state.queries.count:
        attributes["django.request.phase.db_ms"] = state.queries.duration * 1000
    if state.template_time:
        attributes["django.request.phase.template_ms"] = state.template_time * 1000
    if state.serialization_time:
        attributes["django.request.phase.serialization_ms"] = state.serialization_time * 1000
    if state.cache_time:
        attributes["django.request.phase.cache_ms"] = state.cache_time * 1000
    if state.outbound_time:
        attributes["django.request.phase.outbound_ms"] = state.outbound_time * 1000


def _mark(span: Span, error_type: str | None, exception: BaseException | None) -> None:
    if exception is not None:
        span.add_event("exception", {"exception.type": qualified(exception), "exception.message": message_of(exception)[:1024]})
        span.set_status(Status(StatusCode.ERROR, qualified(exception)))
    elif error_type:
        span.set_status(Status(StatusCode.ERROR))


def http_version(request: HttpRequest) -> str:
    """``1.1`` or ``2``, as the server says it: an ASGI server in its scope, a WSGI server in SERVER_PROTOCOL."""
    scope = getattr(request, "scope", None)
    said = str(scope.get("http_version", "") if scope else request.META.get("SERVER_PROTOCOL", "")).rpartition("/")[2]
    return said.removesuffix(".0") if said in ("2.0", "3.0") else said or "1.1"


def path_of(request: HttpRequest) -> str:
    """The path without what its pattern calls a token, a key or the like: ``/reset/[REDACTED]/``."""
    match = request.resolver_match
    return redact_path(request.path, match.kwargs) if match else request.path


def error_type_of(status: int | None, exception: BaseException | None) -> str | None:
    """The exception's class where one escaped, the status for any other 5xx, None for everything that is the caller's doing."""
    if exception is not None:
        return qualified(exception)
    return str(status) if status is not None and status >= 500 else None


def qualified(exception: BaseException) -> str:
    """The exception's class with its module, which builtins need not say."""
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
