"""An outbound HTTP call: client span, trace headers, duration. What every HTTP library's file shares."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from contextvars import ContextVar, Token
from functools import wraps
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import redact_url
from otelkit.request.state import CURRENT
from otelkit.traces.foreign import open_client_span, redact_addresses
from otelkit.traces.names import span_name
from otelkit.traces.suppression import is_suppressed, suppressed_http

logger = logging.getLogger("otelkit.outbound")

_PORTS = {"http": 80, "https": 443}
_OTHERS_BELOW = frozenset(
    f"opentelemetry.instrumentation.{name}"
    for name in ("httpx", "urllib3", "aiohttp_client")  # as their packages are called
)
"""Modules of other instrumentations that may stand between us and the network."""
_PEER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_MOST_NAMES = 100
"""Names that answers may give in one process: whoever answers chooses them, and each is a series."""
_MOST_HOSTS = 1000

_under_way: ContextVar[Call | None] = ContextVar("otelkit_call", default=None)
_chain: ContextVar[_Chain | None] = ContextVar("otelkit_chain", default=None)


class Call:
    """One call under way; ends with :meth:`answered` or :meth:`failed`."""

    __slots__ = ("_is_adopted", "_outbound", "_peer", "_started", "_target", "_token", "_under_way", "is_over", "method", "resends", "span")

    def __init__(
        self, outbound: Outbound, method: str, target: tuple[str, int | None], peer: str | None, span: Span, *, is_adopted: bool = False
    ) -> None:
        """An adopted span is another instrumentation's to describe and to end."""
        self._is_adopted = is_adopted
        self._outbound = outbound
        self._peer = peer
        self._target = target
        # Below our span no other instrumentation makes one for the same call: upstream's of urllib3 under requests, or of httpx.
        self._token: Token[Context] | None = context.attach(suppressed_http()) if _is_another_below() else None
        self._under_way = _under_way.set(self)
        self.is_over = False
        """A task that began within it may still see it."""
        self.method = method
        self.resends = 0
        """Attempts before this one, or within it."""
        self.span = span
        self._started = perf_counter()

    def answered(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """The response's head has arrived. 4xx and 5xx are errors of a call (semantic conventions, HTTP client).

        ``headers`` find a name whatever its case; they may name the service that answered.
        """
        self._end(status, str(status) if status >= 400 else None, headers)

    def failed(self, error: BaseException) -> None:
        """No response: the connection failed, timed out or was cancelled."""
        self._end(None, type(error).__qualname__, None)

    def _end(self, status: int | None, error_type: str | None, headers: Mapping[str, str] | None) -> None:
        elapsed = perf_counter() - self._started
        self.is_over = True
        with suppress(ValueError):  # ended in another context than it began in, as a callback may be
            _under_way.reset(self._under_way)
        if self._token is not None:
            context.detach(self._token)
        if (request := CURRENT.get()) is not None:
            request.outbound_time += elapsed
        try:
            if self._peer is None and headers is not None and (named := self._outbound.name_in(headers, self._target)):
                self._peer = named
                self.span.set_attribute("service.peer.name", named)
            labels = (self.method, *self._target, status, error_type, self._peer)
            self._outbound.duration.record(elapsed, labels, self.span.get_span_context())
            if self.resends:
                self.span.set_attribute("http.request.resend_count", self.resends)
            if self._is_adopted:
                return
            if status is not None:
                self.span.set_attribute("http.response.status_code", status)
            if error_type:
                self.span.set_attribute("error.type", error_type)
                self.span.set_status(Status(StatusCode.ERROR))
            self.span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record an outbound call; its answer is not affected.")


def _is_another_below() -> bool:
    modules = sys.modules  # asked name by name: the other way round every module of the process would be looked at
    return any(name in modules for name in _OTHERS_BELOW)


class _Chain:
    """What one call of the project sends: redirects and authentication make it several requests."""

    __slots__ = ("client", "is_over", "sent")

    def __init__(self, client: object) -> None:
        self.client = client
        self.is_over = False
        self.sent = 0


def as_one(send: Callable[..., Any]) -> Callable[..., Any]:
    """A client's method, sync or async, that counts what it sends as resends of the first."""
    if iscoroutinefunction(send):

        @wraps(send)
        async def send_as_one_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            token = _begin_chain(self)
            try:
                return await send(self, *args, **kwargs)
            finally:
                _end_chain(token)

        return send_as_one_async

    @wraps(send)
    def send_as_one(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _begin_chain(self)
        try:
            return send(self, *args, **kwargs)
        finally:
            _end_chain(token)

    return send_as_one


def _begin_chain(client: object) -> Token[_Chain | None] | None:
    """None within a chain of the same client: requests calls itself for each redirect."""
    outer = _chain.get()
    return None if outer is not None and outer.client is client and not outer.is_over else _chain.set(_Chain(client))


def _end_chain(token: Token[_Chain | None] | None) -> None:
    if token is None:
        return
    if (chain := _chain.get()) is not None:
        chain.is_over = True
    with suppress(ValueError):  # in another context than it began in, as where a loop closes what was left over
        _chain.reset(token)


def is_within_a_call() -> bool:
    """Whether this is done for a call that is followed already, by the library above."""
    call = _under_way.get()
    return call is not None and not call.is_over


class Outbound:
    """Begins calls: holds the tracer, the instrument and the names of known peers."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, peers: Mapping[str, str], peer_header: str = "") -> None:
        """``peers`` name services by host or host:port; a name in an answer's ``peer_header`` counts for those that they do not name."""
        self._tracer = tracer
        self._peers = peers
        self._peer_header = peer_header
        self._named: set[str] = set()
        self._by_target: dict[tuple[str, int | None], str] = {}
        self.duration = aggregator.histogram(HTTP_CLIENT_REQUEST_DURATION)

    def begin(self, method: str, url: str, headers: MutableMapping[str, str]) -> Call | None:
        """Starts the span and writes its context into ``headers``. None where nothing is to be traced; never raises.

        Where one of OpenTelemetry's instrumentations has opened a span for this call already, that one is adopted.
        """
        try:
            adopted = open_client_span()
            if adopted is None and is_suppressed():
                return None
            call = self._begin(method, url, headers, adopted)
            if (chain := _chain.get()) is not None and not chain.is_over:
                call.resends, chain.sent = chain.sent, chain.sent + 1
            return call
        except Exception:
            logger.exception("otelkit could not follow an outbound call; the call itself is not affected.")
            return None

    def _begin(self, method: str, url: str, headers: MutableMapping[str, str], adopted: Span | None) -> Call:
        parts = urlsplit(url)
        address, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        method = method.upper() if method.upper() in HTTP_REQUEST_METHOD.values else OTHER_METHOD
        peer = self._peers.get(f"{address}:{port}") or self._peers.get(address) or self._by_target.get((address, port))
        if adopted is not None:
            if peer:
                adopted.set_attribute("service.peer.name", peer)
            redact_addresses(adopted)
            return Call(self, method, (address, port), peer, adopted, is_adopted=True)
        attributes: dict[str, Any] = {"http.request.method": method, "server.address": address, "url.full": redact_url(url)}
        if port is not None:
            attributes["server.port"] = port
        if peer:
            attributes["service.peer.name"] = peer
        span = self._tracer.start_span(span_name(method), kind=SpanKind.CLIENT, attributes=attributes)
        propagate.inject(headers, context=trace.set_span_in_context(span))
        return Call(self, method, (address, port), peer, span)

    def name_in(self, headers: Mapping[str, str], target: tuple[str, int | None]) -> str | None:
        """The service that answered, as it calls itself; remembered for later calls of the same address, which may find nobody there."""
        name = headers.get(self._peer_header) if self._peer_header else None
        if name is None or not _PEER_NAME.fullmatch(name) or (name not in self._named and len(self._named) >= _MOST_NAMES):
            return None
        self._named.add(name)
        if len(self._by_target) < _MOST_HOSTS:
            self._by_target[target] = name
        return name
